// The console page's files, as they are built into the program.
#ifndef JOBTAIL_WEB_CONSOLE_PAGE_H_
#define JOBTAIL_WEB_CONSOLE_PAGE_H_

#include "server/http/static_files.h"

namespace jobtail::web {

// The console page as it was built with this program: "/index.html" and what it loads from
// "/assets/". Thread-safe; what it returns lives for ever.
http::StaticFiles ConsolePage();

}  // namespace jobtail::web

#endif  // JOBTAIL_WEB_CONSOLE_PAGE_H_
