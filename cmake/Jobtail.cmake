# What every target of this project has in common.

# Of fuzz targets and the libraries in them. What the functions of another library are called by cannot be checked: the names
# that capture gives to the C library's functions stand in assembly, where the check has no place.
set(JOBTAIL_FUZZ_OPTIONS -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=function,vptr -fno-sanitize-recover=undefined)

# Warnings and include path for a target of our own.
function(jobtail_configure target)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wno-unused-parameter)
  # It defines a macro, which headers that are shared precompiled have to agree upon.
  target_compile_options(${target} PRIVATE -pthread)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(${target} PRIVATE -Wthread-safety)
  else()
    # GCC 12 makes one load of 16 bytes of the two that copy a string_view, and that load waits until both have left the
    # store buffer if they were stored one by one, as they are by a caller that had them in registers: 5 ns each time, on a
    # line's way several times.
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-tree-slp-vectorize>)
  endif()
  if(JOBTAIL_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# jobtail_shared_headers(SET HEADERS <h> ... DEPS x y): headers that are compiled once for all who say PCH SET. To compile one
# takes as long as half a dozen sources. Tests have one of their own, since they are compiled otherwise.
set(JOBTAIL_SHARED_HEADERS messages service)
function(jobtail_shared_headers set)
  cmake_parse_arguments(ARG "" "" "HEADERS;DEPS" ${ARGN})
  set(source ${PROJECT_BINARY_DIR}/shared_headers/${set}.cc)
  file(GENERATE OUTPUT ${source} CONTENT "// CMake makes precompiled headers for targets with a source.\n")
  set(targets jobtail_headers_${set})
  if(JOBTAIL_TESTS)
    list(APPEND targets jobtail_headers_${set}_test)
  endif()
  foreach(target ${targets})
    add_library(${target} OBJECT EXCLUDE_FROM_ALL ${source})
    target_link_libraries(${target} PRIVATE ${ARG_DEPS})
    target_precompile_headers(${target} PRIVATE ${ARG_HEADERS})
    jobtail_configure(${target})
  endforeach()
  if(JOBTAIL_FUZZ)
    target_compile_options(jobtail_headers_${set} PRIVATE ${JOBTAIL_FUZZ_OPTIONS})
  endif()
  if(JOBTAIL_TESTS)
    target_precompile_headers(jobtail_headers_${set}_test PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
    target_link_libraries(jobtail_headers_${set}_test PRIVATE GTest::gmock)
    # As in programs, whose place in memory is as free as a library's.
    set_target_properties(jobtail_headers_${set}_test PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(jobtail_headers_${set}_test PRIVATE -fPIE $<$<CONFIG:RelWithDebInfo>:-O0>)
  endif()
endfunction()

# jobtail_precompile(TARGET SUFFIX HEADERS...): has TARGET use those headers precompiled, or the shared ones of that name. What is
# shared has to be in its include path: clang-tidy reads it as text.
function(jobtail_precompile target suffix)
  if("${ARGN}" IN_LIST JOBTAIL_SHARED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM jobtail_headers_${ARGN}${suffix})
  elseif(ARGN)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# jobtail_unite(TARGET): compiles several of a target's sources as one, where JOBTAIL_UNITY says so. A whole build then takes a
# third of the time: most of a source's is its headers', and what they have it instantiate. A name in an anonymous namespace
# has to be a target's only one of its kind; those that clash say so when they are compiled.
function(jobtail_unite target)
  if(JOBTAIL_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# jobtail_library(NAME SOURCES a.cc b.cc [DEPS x y] [PCH SET | <h> ...] [COMPONENT c HEADERS a.h b.h]): a static library
# jobtail_NAME, alias jobtail::NAME. With a component it is installed, together with those headers.
function(jobtail_library name)
  cmake_parse_arguments(ARG "" "COMPONENT" "SOURCES;DEPS;PCH;HEADERS" ${ARGN})
  add_library(jobtail_${name} STATIC ${ARG_SOURCES})
  add_library(jobtail::${name} ALIAS jobtail_${name})
  target_link_libraries(jobtail_${name} PUBLIC ${ARG_DEPS})
  jobtail_precompile(jobtail_${name} "" ${ARG_PCH})
  jobtail_configure(jobtail_${name})
  jobtail_unite(jobtail_${name})
  if(JOBTAIL_FUZZ AND NOT name STREQUAL capture)  # not capture: it is what the process prints with
    target_compile_options(jobtail_${name} PRIVATE ${JOBTAIL_FUZZ_OPTIONS})
    target_link_options(jobtail_${name} INTERFACE -fsanitize=address,undefined)
  endif()
  if(ARG_COMPONENT)
    target_sources(jobtail_${name} PUBLIC
      FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${ARG_HEADERS})
    jobtail_install(jobtail_${name} ${ARG_COMPONENT})
  endif()
endfunction()

# jobtail_executable(NAME SOURCES a.cc [DEPS x y]): a program in bin/.
function(jobtail_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PCH" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  jobtail_precompile(${name} "" ${ARG_PCH})
  jobtail_configure(${name})
endfunction()

# Those that ThreadSanitizer understands: all that the tsan preset runs.
add_custom_target(tsan-tests)
# Of those, the programs where most threads meet, which the CI runs: `./dev test --preset=tsan --quick`.
add_custom_target(tsan-quick-tests)
set(JOBTAIL_TSAN_QUICK base_test capture_test server_log_test server_store_test server_stream_test)

# jobtail_test(NAME SOURCES a_test.cc [DEPS x y] [PCH SET | <h> ...] [LABEL tsan] [ENVIRONMENT NAME=value] [OPTIMIZED]): a GoogleTest
# program whose cases ctest lists one by one.
function(jobtail_test name)
  cmake_parse_arguments(ARG "OPTIMIZED" "LABEL;ENVIRONMENT" "SOURCES;DEPS;PCH" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  if(NOT ARG_OPTIMIZED)
    jobtail_precompile(${name} _test ${ARG_PCH})
  endif()
  jobtail_configure(${name})
  # Not what is tested, only the tests: GoogleTest's templates take nearly twice as long to compile with -O2. OPTIMIZED is
  # for tests of what compilers make of the test itself.
  if(NOT ARG_OPTIMIZED)
    target_compile_options(${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O0>)
    jobtail_unite(${name})
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  set(properties TIMEOUT 300)
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
    list(APPEND ARG_ENVIRONMENT TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/loggers_first.cc)
    target_link_libraries(${name} PRIVATE spdlog::spdlog)
  endif()
  if(ARG_LABEL)
    add_dependencies(${ARG_LABEL}-tests ${name})
    if(ARG_LABEL STREQUAL tsan AND name IN_LIST JOBTAIL_TSAN_QUICK)
      add_dependencies(tsan-quick-tests ${name})
      set(ARG_LABEL tsan-quick)  # which the pattern "tsan" finds, too
    endif()
    list(APPEND properties LABELS ${ARG_LABEL})
  elseif(name IN_LIST JOBTAIL_TSAN_QUICK)
    message(FATAL_ERROR "${name} is in JOBTAIL_TSAN_QUICK, but has no LABEL tsan")
  endif()
  if(ARG_ENVIRONMENT)
    list(APPEND properties ENVIRONMENT ${ARG_ENVIRONMENT})
  endif()
  gtest_discover_tests(${name} PROPERTIES ${properties} DISCOVERY_TIMEOUT 60)
endfunction()

# All fuzz targets of a build with JOBTAIL_FUZZ.
if(JOBTAIL_FUZZ)
  add_custom_target(fuzz-targets)
endif()

# For targets that include Boost.Asio's coroutines: clang 14 needs help to find those of libstdc++.
function(jobtail_uses_coroutines target)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15)
    target_include_directories(${target} SYSTEM PRIVATE ${PROJECT_SOURCE_DIR}/cmake/clang-coroutines)
    target_compile_definitions(${target} PRIVATE __cpp_impl_coroutine=201902L)  # as <coroutine> asks for
  endif()
endfunction()

# jobtail_fuzz_target(NAME SOURCES a_fuzz.cc [DEPS x y]): a libFuzzer program. What it is to begin with lies in
# tests/fuzz/corpus/NAME, a file an input. In a build with JOBTAIL_FUZZ it is the program fuzz/NAME; in one with
# JOBTAIL_FUZZ_TESTS a test fuzz.NAME, which runs that program for a few seconds. `./dev fuzz` runs it for longer.
function(jobtail_fuzz_target name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(JOBTAIL_FUZZ)
    add_executable(fuzz_${name} ${ARG_SOURCES})
    target_link_libraries(fuzz_${name} PRIVATE ${ARG_DEPS})
    target_compile_options(fuzz_${name} PRIVATE ${JOBTAIL_FUZZ_OPTIONS})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer,address,undefined)
    jobtail_configure(fuzz_${name})
    set_target_properties(fuzz_${name} PROPERTIES
      OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
    add_dependencies(fuzz-targets fuzz_${name})
  endif()
  if(JOBTAIL_FUZZ_TESTS)
    add_test(NAME fuzz.${name} COMMAND ${PROJECT_SOURCE_DIR}/tests/fuzz/run test ${name})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 300 FIXTURES_REQUIRED fuzz_targets)
  endif()
endfunction()
