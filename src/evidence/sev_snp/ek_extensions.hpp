// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/crypto/x509.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"

namespace waxwing::evidence::sev_snp {

/// AMD's extensions of a VCEK or VLEK certificate (AMD 57230, Tables 8 to 10), OID 1.3.6.1.4.1.3704.1.*. What is
/// missing or malformed stands in `problems`, and its value stays empty.
struct EkExtensions {
  std::string product_name;  ///< "Genoa-B1"
  std::optional<std::uint8_t> boot_loader;
  std::optional<std::uint8_t> tee;
  std::optional<std::uint8_t> snp;
  std::optional<std::uint8_t> microcode;
  std::optional<std::uint8_t> fmc;    ///< Turin
  std::optional<Bytes> hardware_id;   ///< VCEK: 64 bytes, Turin 8
  std::optional<std::string> csp_id;  ///< VLEK: the cloud provider
  std::vector<std::string> problems;

  /// The part of product_name before '-': AMD has issued certificates with wrong steppings.
  [[nodiscard]] std::optional<Product> product() const;
};

/// `kind` is the certificate's, by its subject; other than VCEK or VLEK only the common extensions are demanded.
[[nodiscard]] EkExtensions read_ek_extensions(const crypto::Certificate& ek, SigningKey kind);

}  // namespace waxwing::evidence::sev_snp
