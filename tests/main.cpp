#include <doctest/doctest.h>

// The one main of all test programs: `tests_<folder> --help` lists doctest's options.
int main(int argc, char** argv) { return doctest::Context{argc, argv}.run(); }
