// The program of all packages.
#include "../../program/main.cpp"
