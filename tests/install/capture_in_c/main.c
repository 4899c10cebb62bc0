// Captures what a C program prints, by the functions for C.

#include <stdio.h>
#include <string.h>

#include "capture/c_api.h"

static void Keep(void* context, const jobtail_capture_line* line) {
  strncat(context, line->text, line->size);
}

int main(void) {
  char text[64] = "";
  jobtail_capture* const capture = jobtail_capture_begin(Keep, text);
  if (!capture) return 1;
  puts("from C");
  if (jobtail_capture_end(capture) != 0) return 2;
  return strcmp(text, "from C") == 0 ? 0 : 3;
}
