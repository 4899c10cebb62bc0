// The header is C.
#include "capture/c_api.h"

int JobtailCaptureHeaderIsC(void) { return JOBTAIL_CAPTURE_LF; }
