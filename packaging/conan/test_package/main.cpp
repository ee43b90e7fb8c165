#include <tamis/tamis.hpp>

#include <cstdio>

int main() { std::printf("tamis %d.%d.%d\n", TAMIS_VERSION_MAJOR, TAMIS_VERSION_MINOR, TAMIS_VERSION_PATCH); }
