# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# Switches of the build and the flags every target of ours is compiled with (target waxwing::options).

option(WAXWING_TESTS "Build tests, test support and fuzz replayers" ON)
option(WAXWING_FUZZ "Build the libFuzzer targets (Clang)" OFF)
option(WAXWING_LIBRARY_ONLY "Build the pure modules only; works with OpenSSL 3.0 (no ML-KEM, no TLS)" OFF)
set(WAXWING_SANITIZE "" CACHE STRING "Value of -fsanitize= for every target of ours, for example address,undefined")
set(WAXWING_OPENSSL_ROOT "" CACHE PATH "Prefix of an OpenSSL >= 3.5 to use instead of the system's")

# GCC 12 destroys temporaries of co_await expressions twice; GCC 13 still has open coroutine faults.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  message(FATAL_ERROR "GCC ${CMAKE_CXX_COMPILER_VERSION} miscompiles temporaries in coroutines, which this program is "
                      "made of. Use Clang 19 (-DCMAKE_CXX_COMPILER=clang++-19) or GCC 14 and later.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(WAXWING_CCACHE ccache)
if(WAXWING_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${WAXWING_CCACHE}")
endif()

add_library(waxwing_options INTERFACE)
add_library(waxwing::options ALIAS waxwing_options)
target_compile_options(waxwing_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-qual -Woverloaded-virtual -Wimplicit-fallthrough -Wextra-semi -Werror
  -fstack-protector-strong -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_compile_definitions(waxwing_options INTERFACE _GLIBCXX_ASSERTIONS)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(waxwing_options INTERFACE -Wswitch-enum -Wunreachable-code)
  find_program(WAXWING_LLD NAMES ld.lld-19 ld.lld)
  if(WAXWING_LLD)
    target_link_options(waxwing_options INTERFACE "-fuse-ld=${WAXWING_LLD}")
  endif()
endif()
if(WAXWING_SANITIZE)
  add_compile_options("-fsanitize=${WAXWING_SANITIZE}" -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options("-fsanitize=${WAXWING_SANITIZE}")
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_options(waxwing_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
if(WAXWING_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
target_link_options(waxwing_options INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
