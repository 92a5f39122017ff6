// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/app/app.hpp"

#include <cstdio>
#include <exception>
#include <iostream>
#include <type_traits>
#include <variant>

#include "commands.hpp"
#include "process.hpp"
#include "waxwing/base/outcome.hpp"
#include "waxwing/dialect/errors.hpp"

namespace waxwing::app {

int report(const Error& error) {
  std::cerr << "waxwing: " << to_string(error.code()) << ": " << error.describe();
  if (const std::string_view remedy = dialect::remedy(error.code()); !remedy.empty())
    std::cerr << "\n         " << remedy;
  std::cerr << '\n';
  return outcome_of(error.code()).exit_code;
}

namespace {

int perform(const Serve& command) {
  return serve(command);
}
int perform(const Verify& command) {
  return verify(command);
}
int perform(const Demo& command) {
  return demo(command);
}
int perform(const CheckConfig& command) {
  return check_config(command);
}
int perform(const Exit& command) {
  return command.code;
}

}  // namespace

int run(int argc, const char* const* argv) {
  try {
    harden_process();
    return std::visit([](const auto& command) { return perform(command); }, parse_command_line(argc, argv));
  } catch (const std::exception& bug) {
    return report(Error(Code::internal, bug.what()));
  }
}

}  // namespace waxwing::app
