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

/// The checks of TDX quotes, in the order in which they are made.
inline constexpr auto kTdxChecks = std::to_array<CheckInfo>({
    // The quote's layout (evidence::tdx::parse_unverified).
    {"tdx.format.version", "the quote's version is one whose layout is known (4 or 5)",
     "fields of an unknown version would be read at the wrong place"},
    {"tdx.format.key-type", "the attestation key is ECDSA P-256",
     "another algorithm would be verified as something it is not"},
    {"tdx.format.tee-type", "the quote is one of a trust domain", "an SGX enclave would pass for a virtual machine"},
    {"tdx.format.qe-vendor", "the quoting enclave is Intel's by its vendor number",
     "another vendor's enclave follows other rules"},
    {"tdx.format.body-type", "body type and size are those of TD report 1.0 or 1.5",
     "fields would be read at the wrong place"},
    {"tdx.format.length", "every length in the quote agrees with the bytes that are there",
     "bytes outside the known layout are bytes nobody judged"},
    {"tdx.format.certification", "the attestation key is certified by a quoting enclave's report and a PCK chain",
     "other kinds of certification data prove nothing here"},
    {"tdx.format.trailing", "nothing but zero bytes follows the quote, unless the caller allows it",
     "what follows is signed by nobody"},

    // From the PCK certificate to a root (evidence::tdx::verify).
    {"tdx.pck.certificates", "the quote carries three certificates: PCK, its issuer, root",
     "without the chain there is nothing to verify"},
    {"tdx.root.pinned", "the chain ends in a root that is pinned or named by the policy",
     "anyone can make a chain with the right names"},
    {"tdx.pck.names", "the certificates bear the names Intel gives them, and the PCK is no authority",
     "a certificate of another role could stand in"},
    {"tdx.pck.path", "each certificate is signed by the next, which is an authority",
     "the platform's key would be anyone's"},
    {"tdx.pck.algorithms", "every certificate is X.509 version 3 with a P-256 key, signed with ECDSA and SHA-256",
     "a weaker scheme would be accepted where Intel uses none"},
    {"tdx.pck.validity", "every certificate is within its validity, both ends included",
     "keys that Intel no longer stands for would count"},
    {"tdx.root-crl.signature", "the root's revocation list is issued and signed by the root",
     "anyone could say that nothing is revoked"},
    {"tdx.root-crl.validity", "the root's revocation list is current", "an old list hides what was revoked since"},
    {"tdx.root-crl.revocation", "neither the root nor what it issued is revoked", "a stolen key would count"},
    {"tdx.pck-crl.issuer", "the revocation list's own chain is the PCK issuer's and ends in the same root",
     "collateral of another authority would be taken for this one's"},
    {"tdx.pck-crl.signature", "the PCK revocation list is issued and signed by the very issuer of the PCK",
     "a list of the other authority says nothing of this platform"},
    {"tdx.pck-crl.validity", "the PCK revocation list is current", "an old list hides what was revoked since"},
    {"tdx.pck-crl.revocation", "the PCK is not revoked", "a platform known to be broken would count"},
    {"tdx.pck.extensions", "each SGX extension that is needed is there once and well-formed",
     "the TCB could be read from the wrong one of two extensions"},

    // What Intel says of the platform.
    {"tdx.tcb-info.chain", "TCB info comes with a current TCB signing certificate directly below the same root",
     "a certificate of another role could sign"},
    {"tdx.tcb-info.signature", "TCB info is signed, byte for byte, by that certificate",
     "anyone could call any platform up to date"},
    {"tdx.tcb-info.type", "the document is TCB info for TDX of a known version",
     "another document of the same signer would be read as this one"},
    {"tdx.tcb-info.format", "TCB info is well-formed and complete",
     "a missing component would be compared as if it held"},
    {"tdx.tcb-info.validity", "TCB info is current", "faults found since it was issued would not count"},
    {"tdx.tcb-info.fmspc", "TCB info is about this family of platforms", "another family's levels mean other things"},
    {"tdx.tcb-info.pce-id", "TCB info is about this provisioning enclave",
     "its versions would be compared to another's"},
    {"tdx.qe-identity.chain",
     "the enclave identity comes with a current TCB signing certificate directly below the same root",
     "a certificate of another role could sign"},
    {"tdx.qe-identity.signature", "the enclave identity is signed, byte for byte, by that certificate",
     "anyone could name an enclave of their own"},
    {"tdx.qe-identity.type", "the document is the identity of the TD quoting enclave, of a known version",
     "another enclave of Intel's would sign quotes"},
    {"tdx.qe-identity.format", "the enclave identity is well-formed and complete",
     "a missing value would be compared as if it held"},
    {"tdx.qe-identity.validity", "the enclave identity is current", "faults found since it was issued would not count"},

    // Whose key signed, and what.
    {"tdx.qe.signature", "the quoting enclave's report is signed by the platform's PCK", "the enclave need not exist"},
    {"tdx.qe.report-data", "that report names the attestation key", "anyone's key could sign the quote"},
    {"tdx.qe.identity", "the report is of the enclave that Intel names", "another enclave signs whatever it is given"},
    {"tdx.qe.debug", "the quoting enclave runs without debugging", "its key can be read"},
    {"tdx.quote.signature", "the quote is signed by the attestation key", "the quote would be anyone's text"},

    // How the platform stands.
    {"tdx.module.identity", "the TDX module is signed by Intel and one that TCB info names",
     "another module can lie about the trust domain"},
    {"tdx.tcb.level", "the platform reaches one of Intel's levels",
     "Intel says nothing good of what is below all levels"},
    {"tdx.module.level", "the TDX module reaches one of its levels",
     "Intel says nothing good of what is below all levels"},
    {"tdx.qe.level", "the quoting enclave reaches one of its levels",
     "Intel says nothing good of what is below all levels"},
    {"tdx.tcb.status", "every status that applies is one that is known", "an unknown word may mean revoked"},

    // The policy's demands (appraisal::appraise).
    {"tdx.policy.evaluation-number", "TCB info and enclave identity are of at least the policy's evaluation",
     "an older evaluation knows fewer faults and is served as long as it lives"},
    {"tdx.policy.debug", "debugging and the other untrusted attributes are off", "the host reads the memory"},
    {"tdx.policy.migration", "the trust domain cannot migrate, unless the policy allows it",
     "its memory can be moved under rules that this quote does not show"},
    {"tdx.policy.sept-ve", "the host cannot inject exceptions by taking memory away, where the policy demands it",
     "the guest's kernel can be attacked by the host"},
    {"tdx.policy.service-td", "no service TD is bound to it, unless the policy allows it",
     "another trust domain can act on it"},
    {"tdx.policy.tcb-status", "the status is one the policy accepts; Revoked is never", "firmware with known faults"},
    {"tdx.policy.advisories", "every advisory that applies is one the policy excuses, and still does",
     "a known fault would be there unnoticed"},
    {"tdx.policy.report-data", "REPORTDATA is the policy's value", "the quote would speak for another key"},
    {"tdx.policy.mrtd", "MRTD is one the policy names", "any firmware at all could be running"},
    {"tdx.policy.rtmr0", "RTMR0 is the one that the policy names beside that MRTD",
     "another configuration was started"},
    {"tdx.policy.rtmr1", "RTMR1 is the one that the policy names beside that MRTD", "another kernel was started"},
    {"tdx.policy.rtmr2", "RTMR2 is the one that the policy names beside that MRTD", "another system was started"},
    {"tdx.policy.rtmr3", "RTMR3 is the one that the policy names beside that MRTD", "other software was started"},
    {"tdx.policy.mr-config-id", "MRCONFIGID is one of the policy's values",
     "the trust domain was started with another configuration"},
    {"tdx.policy.mr-owner", "MROWNER is one of the policy's values", "the trust domain is another owner's"},
    {"tdx.policy.mr-owner-config", "MROWNERCONFIG is one of the policy's values",
     "the trust domain was started with another configuration"},
    {"tdx.policy.mr-seam", "MRSEAM is one of the policy's values",
     "the TDX module is not one of those the owner named"},
    {"tdx.policy.td-attributes", "TDATTRIBUTES are exactly the policy's", "a feature nobody judged is on"},
    {"tdx.policy.xfam", "XFAM is exactly the policy's", "a processor feature nobody judged is on"},
});

/// The row of a name, or null.
[[nodiscard]] constexpr const CheckInfo* find_check(std::string_view name) {
  for (const CheckInfo& check : kChecks)
    if (check.name == name) return &check;
  for (const CheckInfo& check : kTdxChecks)
    if (check.name == name) return &check;
  return nullptr;
}

}  // namespace waxwing::evidence
