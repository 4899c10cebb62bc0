// The work as a program, for systems that carry what a program prints:
//   bench-print lines COUNT BYTES | stamps COUNT INTERVAL_MICROS

#include <cstdlib>
#include <iostream>
#include <string>

#include "bench/workload.h"

int main(int argc, char** argv) {
  const std::string work = argc == 4 ? argv[1] : "";
  if (work == "lines") {
    jobtail::bench::PrintLines(std::atoll(argv[2]), std::atoll(argv[3]));
  } else if (work == "stamps") {
    jobtail::bench::PrintStamps(std::atoll(argv[2]), std::atoll(argv[3]));
  } else {
    std::cerr << "usage: bench-print lines COUNT BYTES | stamps COUNT INTERVAL_MICROS\n";
    return 2;
  }
  return 0;
}
