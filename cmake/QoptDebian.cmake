# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# `make package`: Debian packages from the components of QoptInstall, through
# CPack, which needs dpkg's tools alone. Python's is a component of its own,
# since `cmake --install` puts no modules where Debian's python3 looks.
set(dist lib/python3/dist-packages/qopt)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/python/qopt/ DESTINATION ${dist}
  COMPONENT qopt-python EXCLUDE_FROM_ALL
  FILES_MATCHING PATTERN "*.py" PATTERN "py.typed" PATTERN "__pycache__" EXCLUDE)

# A package's name, its group of components, and what its documents lie with.
set(QOPT_PACKAGES qopt libqopt0 libqopt-dev python3-qopt)
set(components qopt-tools qopt-lib qopt-dev qopt-python)
find_program(QOPT_GZIP gzip)
foreach(package component IN ZIP_LISTS QOPT_PACKAGES components)
  install(FILES ${PROJECT_SOURCE_DIR}/debian/lintian/${package}
    DESTINATION share/lintian/overrides COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(FILES ${PROJECT_SOURCE_DIR}/debian/copyright
    DESTINATION share/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
  if(QOPT_GZIP)
    set(log ${PROJECT_BINARY_DIR}/debian/changelog.gz)
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/debian)
    execute_process(COMMAND ${QOPT_GZIP} -9nc
      ${PROJECT_SOURCE_DIR}/debian/changelog OUTPUT_FILE ${log})
    install(FILES ${log} DESTINATION share/doc/${package}
      COMPONENT ${component} EXCLUDE_FROM_ALL)
  endif()
endforeach()

# `make package` has built everything.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME qopt)
set(CPACK_PACKAGE_VENDOR qopt)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The qopt developers <qopt@localhost>")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_COMPONENTS_ALL qopt-tools qopt-lib qopt-dev qopt-package qopt-python)

# CPack names variables by the group in capitals.
macro(qopt_debian_package group name section description)
  set(CPACK_DEBIAN_${group}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${group}_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${group}_DESCRIPTION "${description}")
endmacro()
qopt_debian_package(TOOLS qopt devel
  "compiler of float ONNX models to integer-only objects
qopt takes a float ONNX model and sample inputs, quantizes it to 8 bits and
writes native code that computes with integers alone and needs no runtime.")
qopt_debian_package(LIB libqopt0 libs
  "compiler of ONNX models to integers - shared library
The library behind the C API and the Python package of qopt.")
qopt_debian_package(DEV libqopt-dev libdevel
  "compiler of ONNX models to integers - development files
Headers of the C API, a CMake package, and the quantization passes for MLIR as
static libraries and as a plugin of mlir-opt.")
qopt_debian_package(PYTHON python3-qopt python
  "compiler of ONNX models to integers - Python package
Compiles and calibrates models from Python, and runs them on numpy arrays.")
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "libqopt0 (= ${PROJECT_VERSION}), qopt (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "libmlir-22-dev, mlir-22-tools")
set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS
  "libqopt0 (= ${PROJECT_VERSION}), python3, python3-numpy")
set(CPACK_DEBIAN_PYTHON_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PYTHON_PACKAGE_SHLIBDEPS OFF)
# Compiled modules come and go with the package.
set(CPACK_DEBIAN_PYTHON_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/debian/python/postinst
  ${PROJECT_SOURCE_DIR}/debian/python/prerm)

include(CPack)
cpack_add_component(qopt-tools GROUP tools)
cpack_add_component(qopt-lib GROUP lib)
cpack_add_component(qopt-dev GROUP dev)
cpack_add_component(qopt-package GROUP dev)
cpack_add_component(qopt-python GROUP python)
