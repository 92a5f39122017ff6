# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# waxwing_module(NAME <name> SOURCES <file>... [PUBLIC_DEPS <module>...] [PRIVATE_DEPS <module>...]
#                [PUBLIC_LIBRARIES <target>...] [LIBRARIES <target>...])
#
# One module = one static library waxwing::<name>: public headers in include/waxwing/<name>/ (a FILE_SET, so that each
# is compiled alone by the target all_verify_interface_header_sets), sources and private headers in src/<name>/.
# The dependencies named here are the edges that tests/lint/layering.py holds the real #includes against.

set_property(GLOBAL PROPERTY WAXWING_MODULES "")

function(waxwing_module)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;PUBLIC_DEPS;PRIVATE_DEPS;PUBLIC_LIBRARIES;LIBRARIES" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "waxwing_module(${ARG_NAME}): unknown arguments ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  foreach(dep IN LISTS ARG_PUBLIC_DEPS ARG_PRIVATE_DEPS)
    if(NOT TARGET waxwing::${dep})
      message(FATAL_ERROR "module ${ARG_NAME} depends on ${dep}, which stands no lower in src/CMakeLists.txt")
    endif()
  endforeach()
  set(target "waxwing_${ARG_NAME}")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/waxwing/${ARG_NAME}/*.hpp")

  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(waxwing::${ARG_NAME} ALIAS ${target})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${headers})
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_link_libraries(${target} PRIVATE waxwing::options ${ARG_LIBRARIES} PUBLIC ${ARG_PUBLIC_LIBRARIES})
  foreach(dep IN LISTS ARG_PUBLIC_DEPS)
    target_link_libraries(${target} PUBLIC waxwing::${dep})
  endforeach()
  foreach(dep IN LISTS ARG_PRIVATE_DEPS)
    target_link_libraries(${target} PRIVATE waxwing::${dep})
  endforeach()

  set_property(GLOBAL APPEND PROPERTY WAXWING_MODULES ${ARG_NAME})
  set_property(GLOBAL PROPERTY WAXWING_PUBLIC_DEPS_${ARG_NAME} ${ARG_PUBLIC_DEPS})
  set_property(GLOBAL PROPERTY WAXWING_PRIVATE_DEPS_${ARG_NAME} ${ARG_PRIVATE_DEPS})
endfunction()

# Writes {"module": {"public": ["dep", ...], "private": ["dep", ...]}} for the layering lint.
function(waxwing_write_module_graph path)
  get_property(modules GLOBAL PROPERTY WAXWING_MODULES)
  set(lines "")
  foreach(module IN LISTS modules)
    foreach(kind IN ITEMS PUBLIC PRIVATE)
      get_property(deps GLOBAL PROPERTY WAXWING_${kind}_DEPS_${module})
      list(TRANSFORM deps REPLACE "(.+)" "\"\\1\"")
      list(JOIN deps ", " ${kind})
    endforeach()
    list(APPEND lines "  \"${module}\": {\"public\": [${PUBLIC}], \"private\": [${PRIVATE}]}")
  endforeach()
  list(JOIN lines ",\n" body)
  file(WRITE "${path}" "{\n${body}\n}\n")
endfunction()
