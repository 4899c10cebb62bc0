# What every target of this project has in common.

# Warnings and include path for a target of our own.
function(jobtail_configure target)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wno-unused-parameter)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(${target} PRIVATE -Wthread-safety)
  endif()
  if(JOBTAIL_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# jobtail_library(NAME SOURCES a.cc b.cc [DEPS x y] [PCH <h> ...] [COMPONENT c HEADERS a.h b.h]): a static library
# jobtail_NAME, alias jobtail::NAME. With a component it is installed, together with those headers.
function(jobtail_library name)
  cmake_parse_arguments(ARG "" "COMPONENT" "SOURCES;DEPS;PCH;HEADERS" ${ARGN})
  add_library(jobtail_${name} STATIC ${ARG_SOURCES})
  add_library(jobtail::${name} ALIAS jobtail_${name})
  target_link_libraries(jobtail_${name} PUBLIC ${ARG_DEPS})
  if(ARG_PCH)
    target_precompile_headers(jobtail_${name} PRIVATE ${ARG_PCH})
  endif()
  jobtail_configure(jobtail_${name})
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
  if(ARG_PCH)
    target_precompile_headers(${name} PRIVATE ${ARG_PCH})
  endif()
  jobtail_configure(${name})
endfunction()

# The tests that do not link gRPC: all that the tsan preset can run.
add_custom_target(no-grpc-tests)

# jobtail_test(NAME SOURCES a_test.cc [DEPS x y] [LABEL no-grpc] [ENVIRONMENT NAME=value]): a GoogleTest program whose
# cases ctest lists one by one.
function(jobtail_test name)
  cmake_parse_arguments(ARG "" "LABEL;ENVIRONMENT" "SOURCES;DEPS;PCH" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  if(ARG_PCH)
    target_precompile_headers(${name} PRIVATE ${ARG_PCH})
  endif()
  jobtail_configure(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  set(properties TIMEOUT 300)
  if(ARG_LABEL)
    list(APPEND properties LABELS ${ARG_LABEL})
    add_dependencies(${ARG_LABEL}-tests ${name})
  endif()
  if(ARG_ENVIRONMENT)
    list(APPEND properties ENVIRONMENT ${ARG_ENVIRONMENT})
  endif()
  gtest_discover_tests(${name} PROPERTIES ${properties} DISCOVERY_TIMEOUT 60)
endfunction()
