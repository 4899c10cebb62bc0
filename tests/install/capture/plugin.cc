// Knows nothing of jobtail, and is linked with nothing of it.

#include <cstdio>
#include <iostream>

extern "C" void Print() {
  printf("plugin: %s\n", "printf");
  std::cout << "plugin: cout" << std::endl;
}
