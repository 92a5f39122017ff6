# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# Every library this project uses, found once. Packages: packaging/packages.txt.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)

if(WAXWING_OPENSSL_ROOT)
  set(OPENSSL_ROOT_DIR "${WAXWING_OPENSSL_ROOT}")
  set(OPENSSL_USE_STATIC_LIBS ON)
endif()
if(WAXWING_LIBRARY_ONLY)
  find_package(OpenSSL 3.0 REQUIRED)
else()
  find_package(OpenSSL 3.5 REQUIRED)
  find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS url)
  find_package(spdlog REQUIRED)
  find_package(CLI11 REQUIRED)
endif()
find_package(tomlplusplus REQUIRED)
# Header-only and without exceptions; distributions ship a library built the other way.
add_library(waxwing_toml INTERFACE)
add_library(waxwing::toml ALIAS waxwing_toml)
target_include_directories(waxwing_toml SYSTEM INTERFACE
  $<TARGET_PROPERTY:tomlplusplus::tomlplusplus,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_definitions(waxwing_toml INTERFACE TOML_EXCEPTIONS=0 TOML_HEADER_ONLY=1)

if(WAXWING_TESTS)
  find_package(GTest REQUIRED)
  find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
  find_package(benchmark QUIET)
endif()
