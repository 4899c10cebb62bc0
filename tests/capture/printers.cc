// Every way to print that is captured. Built several times: PRINTERS is the name of the function
// that tells them, see printers.h.

#include "tests/capture/printers.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cwchar>
#include <iomanip>
#include <iostream>
#include <string>

#ifdef WANT_FORTIFY
#if !defined(__USE_FORTIFY_LEVEL) || __USE_FORTIFY_LEVEL < 2
#error "this build is to test the functions that _FORTIFY_SOURCE calls"
#endif
#endif

namespace {

using Results = std::vector<long>;

// Hides from the compiler what a function is, so that it can neither turn it into another one nor
// put the C library's inline version in its place.
template <typename Function>
Function* Opaque(Function* function) {
  Function* volatile hidden = function;
  return hidden;
}

void Cout(Results&) {
  std::cout << "cout " << 42 << ' ' << std::hex << 255 << std::dec << ' ' << std::setw(6) << "w"
            << std::endl;
  std::cout.put('p').put('\n').write("wri\0te\n", 7);
}

void Cerr(Results&) { std::cerr << "cerr " << 42 << ' ' << 1.5 << ' ' << true << "\n"; }

void Clog(Results&) { std::clog << "clog " << std::string(100, 'c') << std::endl; }

void Printf(Results& results) {
  results.push_back(printf("plain\n"));  // which compilers make puts
  results.push_back(printf("%s %d %5.2f %c\n", "text", -7, 3.14159, 'x'));
  results.push_back(printf("%s\n", std::string(5000, 'l').c_str()));
  results.push_back(printf("%s", ""));
  for (size_t size = 1020; size < 1030; ++size) {  // around what is formatted on the stack
    results.push_back(printf("%s\n", std::string(size, 's').c_str()));
  }
}

void PrintfThatFails(Results& results) {
  const wchar_t invalid[] = {static_cast<wchar_t>(0x7fffffff), 0};
  results.push_back(printf("%ls", invalid) < 0);
  results.push_back(errno == EILSEQ);
  puts("after the failure");
}

void Fprintf(Results& results) {
  results.push_back(fprintf(stdout, "out %d\n", 1));
  results.push_back(fprintf(stderr, "err %d %s\n", 2, std::string(2000, 'e').c_str()));
}

int CallVprintf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = vprintf(format, arguments);
  va_end(arguments);
  return result;
}

int CallVfprintf(FILE* file, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = vfprintf(file, format, arguments);
  va_end(arguments);
  return result;
}

void Vprintf(Results& results) {
  results.push_back(CallVprintf("%d %s\n", 5, "vprintf"));
  results.push_back(CallVfprintf(stdout, "%d %s\n", 6, "vfprintf"));
  results.push_back(CallVfprintf(stderr, "%d %s\n", 7, std::string(1024, 'v').c_str()));
}

int CallVdprintf(int fd, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = vdprintf(fd, format, arguments);
  va_end(arguments);
  return result;
}

void Dprintf(Results& results) {
  results.push_back(dprintf(1, "%s %d\n", "dprintf", 1));
  results.push_back(dprintf(2, "%s %d\n", std::string(3000, 'd').c_str(), 2));
  results.push_back(CallVdprintf(1, "%s %d\n", "vdprintf", 3));
}

void Perror(Results&) {
  errno = ENOENT;
  perror("opening");
  errno = EACCES;
  perror("");
  perror(nullptr);
}

void Puts(Results& results) {
  results.push_back(puts("puts") >= 0);
  results.push_back(puts("") >= 0);
  results.push_back(fputs("fputs out\n", stdout) >= 0);
  results.push_back(fputs("fputs err\n", stderr) >= 0);
  results.push_back(Opaque(fputs_unlocked)("fputs_unlocked\n", stdout) >= 0);
}

void Putc(Results& results) {
  results.push_back(putchar('a'));
  results.push_back(putchar('\xff'));
  results.push_back(putc('b', stdout));
  results.push_back(fputc('c', stdout));
  results.push_back(fputc('d', stderr));
  results.push_back(Opaque(putchar_unlocked)('e'));
  results.push_back(Opaque(putc_unlocked)('f', stdout));
  results.push_back(Opaque(fputc_unlocked)('\n', stderr));
  results.push_back(putchar('\n'));
}

void Fwrite(Results& results) {
  const char text[] = "nul \0 and \xff\n";
  results.push_back(static_cast<long>(fwrite(text, 1, sizeof text - 1, stdout)));
  results.push_back(static_cast<long>(fwrite("1234\n5678\n", 5, 2, stderr)));
  results.push_back(static_cast<long>(fwrite("", 0, 5, stdout)));
  results.push_back(static_cast<long>(fwrite("", 5, 0, stdout)));
  results.push_back(static_cast<long>(fwrite_unlocked("unlocked\n", 3, 3, stdout)));
}

void Write(Results& results) {
  results.push_back(write(1, "write out\n", 10));
  results.push_back(write(2, "write err\n", 10));
  results.push_back(write(1, "", 0));
}

void Writev(Results& results) {
  char one[] = "one ";
  char two[] = "two\nthr";
  char three[] = "ee\n";
  const iovec parts[] = {{one, 4}, {two, 7}, {nullptr, 0}, {three, 3}};
  results.push_back(writev(1, parts, 4));
  results.push_back(writev(2, parts, 2));
  results.push_back(write(2, "ee\n", 3));
  results.push_back(writev(1, parts, 0));
}

void OtherFiles(Results& results) {
  FILE* file = tmpfile();
  results.push_back(fprintf(file, "to a file %d\n", 1));
  results.push_back(fputs("more\n", file) >= 0);
  fputc('x', file);
  results.push_back(write(fileno(file), "y", 1));
  results.push_back(fflush(file));
  results.push_back(ftell(file));
  fclose(file);
}

}  // namespace

const std::vector<Printer>* PRINTERS() {
  static const std::vector<Printer> printers = {
      {"Cout", Cout},       {"Cerr", Cerr},       {"Clog", Clog},
      {"Printf", Printf},   {"Fprintf", Fprintf}, {"PrintfThatFails", PrintfThatFails},
      {"Vprintf", Vprintf}, {"Dprintf", Dprintf}, {"Puts", Puts},
      {"Perror", Perror},   {"Putc", Putc},       {"Fwrite", Fwrite},
      {"Write", Write},     {"Writev", Writev},   {"OtherFiles", OtherFiles},
  };
  return &printers;
}
