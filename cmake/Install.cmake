# `cmake --install`: what a project gets that says find_package(jobtail). Parts, in order of dependence: capture and proto
# need none of the others; base needs abseil and libutf8proc; client and server need base and proto, server also capture.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(JOBTAIL_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/jobtail)

# jobtail_install(TARGET PART): the library and its headers, below include/jobtail/, so that a user includes them as we do.
function(jobtail_install target part)
  string(REGEX REPLACE "^jobtail_" "" name ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${target} EXPORT jobtail-${part}
    ARCHIVE COMPONENT ${part}
    LIBRARY COMPONENT ${part}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/jobtail COMPONENT ${part})
  set_property(GLOBAL APPEND PROPERTY JOBTAIL_PARTS ${part})
endfunction()

# What find_package reads. Called once, after all targets.
function(jobtail_install_package)
  get_property(parts GLOBAL PROPERTY JOBTAIL_PARTS)
  list(REMOVE_DUPLICATES parts)
  foreach(part ${parts})
    install(EXPORT jobtail-${part} NAMESPACE jobtail:: DESTINATION ${JOBTAIL_PACKAGE_DIR} COMPONENT ${part})
  endforeach()
  # What a project in C has to name.
  set(cxx_libraries stdc++ m)
  if(JOBTAIL_LIBCXX)
    set(cxx_libraries c++ c++abi m)
  endif()
  list(JOIN cxx_libraries " " cxx_libraries)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/jobtail-config.cmake.in
    ${PROJECT_BINARY_DIR}/jobtail-config.cmake
    INSTALL_DESTINATION ${JOBTAIL_PACKAGE_DIR}
    NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/jobtail-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(
    FILES ${PROJECT_BINARY_DIR}/jobtail-config.cmake ${PROJECT_BINARY_DIR}/jobtail-config-version.cmake
    DESTINATION ${JOBTAIL_PACKAGE_DIR}
    COMPONENT capture)
endfunction()
