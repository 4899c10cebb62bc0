# cmake -DSOURCE=dir -DBINARY=dir -DTOOLS=file -DOPTIONS="-D... -D..." [-DPROGRAM=name] [-DINSTALL=prefix] -P
# Configures and builds a project in an empty directory; runs the program, or installs the project. Fails where one fails.
separate_arguments(options UNIX_COMMAND "${OPTIONS}")
file(REMOVE_RECURSE ${BINARY})

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

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
