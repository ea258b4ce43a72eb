# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What `cmake --install` puts where, and the package that `find_package(qopt)`
# finds. Included last: it looks at the targets that exist.
#
# Exported, as `qopt::<Room>`, are the rooms that need nothing but MLIR and LLVM
# and other such rooms. A plain install has all components: `qopt-dev` is what
# find_package finds, with `qopt-package` (rooms and plugin) to run passes, with
# `qopt-tools` to compile models, with `qopt-lib` for libqopt.
include(CMakePackageConfigHelpers)

get_property(rooms GLOBAL PROPERTY QOPT_ROOMS)
set(QOPT_EXPORTED_ROOMS)
foreach(room IN LISTS rooms)
  get_target_property(libraries ${room} LINK_LIBRARIES)
  set(foreign ${libraries})
  list(REMOVE_ITEM foreign MLIR LLVM ${QOPT_EXPORTED_ROOMS})
  if(NOT foreign)
    list(APPEND QOPT_EXPORTED_ROOMS ${room})
  endif()
endforeach()

set(QOPT_PACKAGE_DIR lib/cmake/qopt)
foreach(room IN LISTS QOPT_EXPORTED_ROOMS)
  string(REGEX REPLACE "^Qopt" "" name ${room})
  set_target_properties(${room} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${room} EXPORT qoptTargets
    ARCHIVE DESTINATION lib COMPONENT qopt-package)
  foreach(tree ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
    install(DIRECTORY ${tree}/include/qopt/${name} DESTINATION include/qopt
      COMPONENT qopt-package
      FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.h.inc"
      PATTERN "CMakeFiles" EXCLUDE)
  endforeach()
endforeach()
install(EXPORT qoptTargets NAMESPACE qopt:: DESTINATION ${QOPT_PACKAGE_DIR}
  COMPONENT qopt-package)

# The names that find_package's COMPONENTS takes.
list(TRANSFORM QOPT_EXPORTED_ROOMS REPLACE "^Qopt" ""
  OUTPUT_VARIABLE QOPT_EXPORTED_NAMES)
string(REPLACE ";" " " QOPT_EXPORTED_NAMES "${QOPT_EXPORTED_NAMES}")

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/qoptConfig.cmake.in
  ${PROJECT_BINARY_DIR}/qoptConfig.cmake
  INSTALL_DESTINATION ${QOPT_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/qoptConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/qoptConfig.cmake
  ${PROJECT_BINARY_DIR}/qoptConfigVersion.cmake
  ${CMAKE_CURRENT_LIST_DIR}/QoptAddModel.cmake
  DESTINATION ${QOPT_PACKAGE_DIR} COMPONENT qopt-dev)

# Debian's libMLIR.so lies where only LLVM's own programs look.
foreach(linked qopt qopt-opt qopt-c QoptPlugin)
  if(TARGET ${linked})
    set_target_properties(${linked} PROPERTIES INSTALL_RPATH ${LLVM_LIBRARY_DIR})
  endif()
endforeach()

if(TARGET QoptPlugin)
  install(TARGETS QoptPlugin LIBRARY DESTINATION lib/qopt COMPONENT qopt-package)
endif()
foreach(tool qopt-opt qopt)
  if(TARGET ${tool})
    install(TARGETS ${tool} RUNTIME DESTINATION bin COMPONENT qopt-tools)
  endif()
endforeach()
if(TARGET qopt-c)
  install(TARGETS qopt-c LIBRARY DESTINATION lib COMPONENT qopt-lib
    NAMELINK_COMPONENT qopt-dev)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/qopt-c DESTINATION include
    COMPONENT qopt-dev)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/qopt.pc.in
    ${PROJECT_BINARY_DIR}/qopt.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/qopt.pc DESTINATION lib/pkgconfig
    COMPONENT qopt-dev)
endif()
if(TARGET qopt-manual)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/share DESTINATION .
    COMPONENT qopt-tools)
  install(CODE "execute_process(COMMAND gzip -9nf
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share/man/man1/qopt.1\")"
    COMPONENT qopt-tools)
endif()
# What an emitted executable links, and its headers.
foreach(library QoptRuntime QoptPool)
  if(TARGET ${library})
    install(TARGETS ${library} ARCHIVE DESTINATION lib COMPONENT qopt-tools)
  endif()
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/qopt/Runtime
  DESTINATION include/qopt COMPONENT qopt-dev OPTIONAL
  FILES_MATCHING PATTERN "*.h")

include(QoptDebian)
