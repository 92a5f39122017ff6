// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/limits.hpp"
#include "waxwing/crypto/x509.hpp"

namespace waxwing::evidence::tdx {

/// A document exactly as it was signed: the bytes of the inner object, never written anew.
struct SignedDocument {
  std::string text;
  ByteArray<64> signature{};               ///< r || s, big-endian
  std::vector<crypto::Certificate> chain;  ///< signer first, then the root
};

/// What Intel publishes about a platform, and what a quote is judged by. It is public and signed, so it may come from
/// anyone; nothing in it is verified yet.
struct Collateral {
  std::vector<crypto::Certificate> pck_crl_issuer_chain;  ///< issuer first, then the root
  crypto::Crl root_ca_crl;
  crypto::Crl pck_crl;
  SignedDocument tcb_info;
  SignedDocument qe_identity;
};

/// One JSON object of nine texts: pck_crl_issuer_chain, tcb_info_issuer_chain and qe_identity_issuer_chain (PEM),
/// root_ca_crl and pck_crl (DER in hexadecimal), tcb_info and qe_identity (the signed object as text),
/// tcb_info_signature and qe_identity_signature (128 hexadecimal digits). Other members are passed over.
/// Code::evidence_malformed, or Code::too_large beyond limits.
[[nodiscard]] Result<Collateral> parse_collateral(std::string_view document, const Limits& limits);

}  // namespace waxwing::evidence::tdx
