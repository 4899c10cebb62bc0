# cmake -DSOURCE=dir -DBINARY=dir -DTOOLS=file -DOPTIONS="-D... -D..." [-DPROGRAM=name] [-DINSTALL=prefix] -P
# Configures and builds a project in an empty directory; runs the program, or installs the project. Fails where one fails.
# With -DLIBCXX=ON, says that it is skipped where the compiler that TOOLS names has no libc++.
separate_arguments(options UNIX_COMMAND "${OPTIONS}")
file(REMOVE_RECURSE ${BINARY})

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

if(LIBCXX)
  include(${TOOLS})
  file(WRITE ${BINARY}/probe.cc "#include <iostream>\nint main() { std::cout << std::endl; }\n")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} ${CMAKE_CXX_FLAGS} probe.cc -o probe WORKING_DIRECTORY ${BINARY}
    RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  if(failed)
    message("Skipped: there is no libc++ here (Debian: clang-14 libc++-14-dev libc++abi-14-dev)")
    return()
  endif()
endif()

run(${CMAKE_COMMAND} -G Ninja -C ${TOOLS} -S ${SOURCE} -B ${BINARY} ${options})
run(${CMAKE_COMMAND} --build ${BINARY})
if(PROGRAM)
  file(GLOB_RECURSE program ${BINARY}/${PROGRAM})
  run(${program})
endif()
if(INSTALL)
  file(REMOVE_RECURSE ${INSTALL})
  run(${CMAKE_COMMAND} --install ${BINARY} --prefix ${INSTALL})
endif()
