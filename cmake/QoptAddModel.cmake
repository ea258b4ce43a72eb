# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A model as a library of a CMake project; comes with find_package(qopt).
#
#   qopt_add_model(TARGET MODEL file.onnx CALIBRATION data
#                  [MCPU cpu...] [OPTIONS flag...] [DEPENDS file...])
#
# makes TARGET, a static library, and TARGET.h, the header that those find who
# link it; TARGET is the C prefix too. Made again where the model, a file of the
# data or one of DEPENDS changes. CALIBRATION is a file, a folder (its files may
# come and go) or any other text that --calibrate takes, MCPU what --mcpu takes,
# OPTIONS are flags of qopt.
function(qopt_add_model target)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "MODEL;CALIBRATION"
    "MCPU;OPTIONS;DEPENDS")
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR
      "qopt_add_model(${target}): unknown arguments ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT ARG_MODEL)
    message(FATAL_ERROR "qopt_add_model(${target}) needs MODEL")
  endif()
  if(NOT target MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    message(FATAL_ERROR "qopt_add_model: '${target}' is no C identifier")
  endif()
  get_filename_component(model "${ARG_MODEL}" ABSOLUTE)
  set(flags)
  set(data)
  if(ARG_CALIBRATION)
    get_filename_component(path "${ARG_CALIBRATION}" ABSOLUTE)
    if(IS_DIRECTORY "${path}")
      file(GLOB_RECURSE data CONFIGURE_DEPENDS "${path}/*")
      list(APPEND flags --calibrate "${path}")
    elseif(EXISTS "${path}")
      set(data "${path}")
      list(APPEND flags --calibrate "${path}")
    else()
      list(APPEND flags --calibrate "${ARG_CALIBRATION}")
    endif()
  endif()
  if(ARG_MCPU)
    string(JOIN "," cpus ${ARG_MCPU})
    list(APPEND flags "--mcpu=${cpus}")
  endif()

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}_qopt")
  set(object "${folder}/${target}.o")
  set(header "${folder}/${target}.h")
  file(MAKE_DIRECTORY "${folder}")
  add_custom_command(OUTPUT "${object}" "${header}"
    COMMAND qopt::qopt "${model}" ${flags} ${ARG_OPTIONS} --name ${target}
      --emit=obj,header -o "${folder}/${target}"
    DEPENDS qopt::qopt "${model}" ${data} ${ARG_DEPENDS}
    COMMENT "Compiling model ${target}"
    VERBATIM)
  set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT TRUE
    GENERATED TRUE)
  add_library(${target} STATIC "${object}" "${header}")
  # There is no source that would say.
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(C IN_LIST languages)
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
  else()
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
  endif()
  target_include_directories(${target} INTERFACE "${folder}")
endfunction()
