// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

namespace waxwing::evidence {

/// One named check: what it demands, and what an attacker gains where nobody makes it.
struct CheckInfo {
  std::string_view name;
  std::string_view meaning;
  std::string_view why;
};

/// Every check that a verdict can hold, in the order in which they are made. A name that is not here does not compile
/// (CheckName). docs/checks.md is made from this table, and the mutation run switches its rows off one at a time.
inline constexpr auto kChecks = std::to_array<CheckInfo>({
    // The report's layout (evidence::sev_snp::parse_unverified).
    {"snp.format.length", "the report has exactly 1184 bytes",
     "bytes outside the known layout are bytes nobody judged"},
    {"snp.format.version", "the report's version is one whose layout is known (2 to 5)",
     "fields of an unknown version would be read at the wrong place"},
    {"snp.format.signature-algorithm", "the report names ECDSA P-384 with SHA-384",
     "another algorithm would be verified as something it is not"},
    {"snp.format.policy", "bit 17 of the guest policy is one and its unassigned bits are zero",
     "an unknown policy bit may permit what this policy would refuse"},
    {"snp.format.key-info", "KEY_INFO names a known signing key and its unassigned bits are zero",
     "an unknown key kind cannot be matched to a certificate"},
    {"snp.format.reserved", "all reserved bytes are zero, those after the signature included",
     "two different files would pass for one report, and unknown fields would go unjudged"},
    {"snp.format.vmpl", "the report was asked for at a privilege level 0 to 3",
     "a report asked for by the host is not one of the guest's"},

    // Whose key signed (evidence::sev_snp::verify).
    {"snp.key.type", "the report's signing key and the certificate are of one kind, VCEK or VLEK",
     "an unsigned report, or one judged by the rules of another kind of key, would pass"},
    {"snp.product.known", "the processor is one of the known product lines",
     "the TCB layout and the root depend on the product"},
    {"snp.ek.key", "the endorsement key is on the curve P-384", "AMD signs reports with no other kind of key"},
    {"snp.ek.subject", "the certificate's subject is AMD's for a VCEK or VLEK",
     "a certificate AMD issued for another purpose would sign reports"},
    {"snp.ek.extensions", "each AMD extension that its kind needs is there once, well-formed, and no foreign one",
     "the TCB and the chip could be read from the wrong one of two extensions"},
    {"snp.ek.critical", "no critical extension is unknown", "its issuer meant a limit that would be ignored"},
    {"snp.ek.not-ca", "the endorsement key is not a certificate authority", "it could issue further keys"},
    {"snp.product.agreement", "report, endorsement key, intermediate and root name one product",
     "evidence of one product would be judged by the rules of another"},

    // The chain.
    {"snp.root.pinned", "the chain ends in a root that is pinned or named by the policy",
     "anyone can make a chain with the right names"},
    {"snp.chain.names", "the certificates bear the names AMD gives them",
     "a certificate of another role could stand in"},
    {"snp.chain.path", "three certificates, each signed by the next, which is an authority",
     "the endorsement key would be anyone's"},
    {"snp.chain.signature-algorithm",
     "every signature of the chain is RSASSA-PSS with SHA-384, MGF1-SHA-384 and salt 48",
     "a weaker scheme would be accepted where AMD uses none"},
    {"snp.chain.keys", "root and intermediate have RSA-4096 keys", "a weak key could have been broken"},
    {"snp.chain.validity", "every certificate is within its validity, both ends included",
     "keys that AMD no longer stands for would count"},
    {"snp.crl.present", "a revocation list is there when the policy requires one",
     "a revoked intermediate would not be noticed"},
    {"snp.crl.signature", "the revocation list is the root's, signed with the chain's algorithm",
     "an attacker's empty list would hide a revocation"},
    {"snp.crl.validity", "the revocation list is within its validity, both ends included",
     "an old list does not know of later revocations"},
    {"snp.crl.revocation", "the intermediate is not revoked", "its key may be in an attacker's hands"},

    // The report against its key.
    {"snp.signature", "the endorsement key signed bytes 0x000 to 0x29F of the report",
     "every field would be anyone's claim"},
    {"snp.ek.tcb", "the report's REPORTED_TCB is the one the endorsement key was derived for",
     "a key of old, broken firmware would vouch for a newer level"},
    {"snp.ek.chip-id", "the report's CHIP_ID is the one in the VCEK certificate",
     "a report could claim to come from another chip"},
    {"snp.tcb.layout", "unassigned TCB bytes are zero", "a component that is not compared would go unjudged"},
    {"snp.tcb.order", "REPORTED_TCB and COMMITTED_TCB are not above CURRENT_TCB",
     "a report that contradicts itself comes from faulty firmware"},
    {"snp.firmware.order", "the committed firmware version is not above the current one",
     "a report that contradicts itself comes from faulty firmware"},

    // The policy (appraisal::appraise).
    {"policy.expiry", "the policy has not expired", "pinned values age: nobody looked at them since"},
    {"policy.root", "the root is one the policy accepts", "evidence of a root meant for tests would pass elsewhere"},
    {"snp.policy.product", "the product is one the policy accepts", "the policy's owner excluded that hardware"},
    {"snp.policy.provisional", "the committed firmware is the current one, where the policy demands it",
     "the operator could roll back to older firmware"},
    {"snp.policy.debug", "the guest's memory cannot be read by a debugger of the host", "debugging reads every prompt"},
    {"snp.policy.migration", "no migration agent may move the guest's state", "the agent can read what it moves"},
    {"snp.policy.smt", "sibling threads are not permitted, where the policy demands it", "they share what leaks"},
    {"snp.policy.cxl", "CXL memory is not permitted, where the policy demands it", "it leaves the package"},
    {"snp.policy.single-socket", "the guest is bound to one socket, where the policy demands it",
     "its traffic crosses between sockets"},
    {"snp.policy.aes256-xts", "memory is encrypted with AES-256-XTS, where the policy demands it", "weaker encryption"},
    {"snp.policy.rapl", "power readings are off, where the policy demands it", "they leak what is computed"},
    {"snp.policy.ciphertext-hiding", "the host cannot see the memory's ciphertext, where the policy demands it",
     "equal blocks can be watched"},
    {"snp.policy.page-swap", "page swapping is off, where the policy demands it", "the host can move and replay pages"},
    {"snp.policy.guest-svn", "the guest's security version is at least the policy's", "a guest with known faults"},
    {"snp.policy.report-data", "REPORT_DATA is the policy's value", "the report would speak for another key"},
    {"snp.policy.measurement", "the launch measurement is one the policy names",
     "any software at all could be running"},
    {"snp.policy.host-data", "HOST_DATA is one of the policy's values",
     "the guest was started with another configuration"},
    {"snp.policy.chip-id", "CHIP_ID is one of the policy's values", "the machine is not one of those the owner named"},
    {"snp.policy.masked-chip-id", "a masked CHIP_ID is accepted by the policy", "the report is not tied to a chip"},
    {"snp.policy.tcb", "every component of REPORTED_TCB is at least the policy's", "firmware with known faults"},
    {"snp.policy.launch-tcb", "every component of LAUNCH_TCB is at least the policy's",
     "the guest was started by firmware with known faults"},
    {"snp.policy.firmware-version", "the firmware's version is at least the policy's", "firmware with known faults"},
    {"snp.policy.vmpl", "the report was asked for at the policy's privilege level", "another layer of the guest asked"},
    {"snp.policy.author-key", "the ID block's author key is one the policy trusts",
     "someone else signed the guest's identity"},
    {"snp.policy.id-key", "the ID block's key, or its author's, is one the policy trusts",
     "someone else signed the guest's identity"},
    {"snp.policy.mitigation", "the mitigations the policy demands are active", "a known attack works"},
    {"snp.policy.platform-info", "the platform's features are what the policy demands", "a protection is off"},
    {"reference.origin", "the expected values were given by someone who vouches for them",
     "a value observed on first use may have been an attacker's"},

    // The channel (exchange::establish).
    {"nonce.path", "our nonce and its audit path lead to a root", "someone else's nonce would stand in for ours"},
    {"report-data.binding", "the report was made for this nonce and this statement",
     "an old report, or one about other keys, would vouch for the channel"},
    {"statement.format", "the statement is one of waxwing/1, with no member we do not know",
     "a member that is not understood may take back what another one says"},
    {"engine.reach", "the engine is reached over a way the policy accepts",
     "plaintext would leave the attested machine"},
    {"engine.config", "the gateway's configuration is one the policy names",
     "another configuration may log or forward"},
    {"channel.post-quantum", "no key is accepted that a quantum computer would open",
     "recorded traffic could be opened in years to come"},
    {"channel.padding", "the worker pads streamed answers", "token lengths reveal topics"},
    {"channel.tls-binding", "the statement names the key of the outer TLS connection, where that is demanded",
     "the connection could end outside the attested machine"},
    {"session.life", "evidence, policy, statement and the nonce's age leave the session some time",
     "keys that the worker has given up, or a machine since changed, would still be trusted"},
    {"channel.keys", "the key list is well-formed as a whole",
     "reading part of a broken list lets a list tell clients apart"},
    {"channel.suites", "the worker offers a key of a kind and suite that is accepted", "a weaker suite would be used"},
});

/// The row of a name, or null.
[[nodiscard]] constexpr const CheckInfo* find_check(std::string_view name) {
  for (const CheckInfo& check : kChecks)
    if (check.name == name) return &check;
  return nullptr;
}

}  // namespace waxwing::evidence
