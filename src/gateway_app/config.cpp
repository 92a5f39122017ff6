// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway_app/config.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <variant>

#include "waxwing/base/encoding.hpp"
#include "waxwing/base/limits.hpp"
#include "waxwing/net/url.hpp"

namespace waxwing::gateway_app {
namespace {

// ---- The table ----

using Setting = std::variant<std::string Config::*, std::vector<std::string> Config::*, std::uint64_t Config::*,
                             bool Config::*, Milliseconds Config::*, ByteSize Config::*>;

/// Least and most of a number, a size (bytes) or a time (milliseconds; a least of 0 allows "none").
struct Range {
  std::uint64_t least = 0;
  std::uint64_t most = std::numeric_limits<std::int64_t>::max();
};

struct Key {
  std::string_view section;
  std::string_view name;
  Setting setting;
  std::string_view meaning;
  Range range{};
  std::string_view choices{};  // of a text: "a|b|c"; empty: any

  [[nodiscard]] std::string full_name() const { return fmt::format("{}.{}", section, name); }
};

constexpr std::uint64_t kMillisecondsPerDay = 24ULL * 3600 * 1000;
constexpr Range kTime{1, 7 * kMillisecondsPerDay};
constexpr Range kTimeOrNone{0, 7 * kMillisecondsPerDay};
constexpr Range kCount{1, 1ULL << 31U};

const Key kKeys[] = {
    {"listen", "address", &Config::listen_address,
     "Where to listen: `\"127.0.0.1:8443\"`, `\"[::]:8443\"`, `\"unix:/run/waxwing/gateway.sock\"`. Port 0 takes a "
     "free one."},
    {"listen",
     "tls",
     &Config::listen_tls,
     "Outer TLS. `attested`: a key made at start inside this process and named by the statement. `files`: "
     "`certificate` and `key`, also named by the statement. `plain`: none, on loopback addresses and unix sockets "
     "only.",
     {},
     "attested|files|plain"},
    {"listen", "certificate", &Config::listen_certificate, "With `tls = \"files\"`: PEM file, the leaf first."},
    {"listen", "key", &Config::listen_key, "With `tls = \"files\"`: PEM file of the unencrypted private key."},
    {"listen", "max_connections", &Config::listen_max_connections, "Connections at once; more are closed on accept.",
     kCount},
    {"listen", "max_connections_per_source", &Config::listen_max_connections_per_source,
     "The same for one source: an IPv4 address or the connections of all unix peers. Behind a proxy all clients are "
     "one "
     "source.",
     kCount},
    {"listen", "max_requests", &Config::listen_max_requests, "Requests in progress; more are answered 503.", kCount},
    {"listen", "max_requests_per_source", &Config::listen_max_requests_per_source,
     "Sealed requests in progress of one source (an IPv4 address, an IPv6 /64, all unix peers); more are answered 429.",
     kCount},
    {"listen", "max_failed_opens_per_source", &Config::listen_max_failed_opens_per_source,
     "Requests of one source that may fail to open in a minute; after that its requests are answered 429 unread.",
     kCount},
    {"listen", "drain", &Config::listen_drain, "On SIGTERM or SIGINT: how long requests in progress may go on.",
     kTimeOrNone},
    {"listen", "read_idle", &Config::listen_read_idle, "Longest pause between bytes of a request.", kTime},
    {"listen", "write_idle", &Config::listen_write_idle, "Longest time a client may take no bytes of its answer.",
     kTime},

    {"engine", "url", &Config::engine_url,
     "The OpenAI-compatible server: `http://127.0.0.1:8000`, `unix:/run/engine.sock`, `https://host`, or `builtin`, a "
     "tiny "
     "deterministic engine for demonstrations. The statement says how far away it is, and every connection is checked "
     "against that."},
    {"engine", "allow_remote", &Config::engine_allow_remote,
     "Whether the engine may be on another machine (https only). The statement then says `remote`, which policies "
     "refuse "
     "unless they list it."},
    {"engine", "extra_paths", &Config::engine_extra_paths,
     "What reaches the engine beside the OpenAI and Anthropic endpoints: `[\"POST /tokenize\"]`."},
    {"engine", "connect", &Config::engine_connect, "Longest time to connect to the engine.", kTime},
    {"engine", "first_byte", &Config::engine_first_byte,
     "Longest time from a request's end to the first byte of the engine's answer.", kTimeOrNone},
    {"engine", "idle", &Config::engine_idle, "Longest pause between bytes of the engine's answer.", kTime},
    {"engine", "api_key_file", &Config::engine_api_key_file,
     "File with a key that the engine wants as a bearer token. Without it the client's own key passes, unless "
     "`clients.keys_file` is set."},
    {"engine", "ca_file", &Config::engine_ca_file,
     "PEM file of the CAs that may vouch for an https engine; empty: the machine's."},

    {"evidence",
     "source",
     &Config::evidence_source,
     "Where hardware reports come from. `configfs-tsm`: Linux in a SEV-SNP guest. `simulated`: reports under a root of "
     "this "
     "installation, which prove nothing about hardware; verdicts show the root's label.",
     {},
     "configfs-tsm|simulated"},
    {"evidence", "tsm_root", &Config::evidence_tsm_root, "With `configfs-tsm`: the directory of report entries."},
    {"evidence", "report_time", &Config::evidence_report_time, "Longest time for one report.", kTime},
    {"evidence", "certificates", &Config::evidence_certificates,
     "PEM files to staple instead of the certificates that the host hands out: endorsement key first, then up to the "
     "root."},
    {"evidence", "crl", &Config::evidence_crl, "DER file of a revocation list to staple."},
    {"evidence", "require_measured_config", &Config::evidence_require_measured_config,
     "Start only if HOST_DATA of the report is the SHA-256 of the configuration file; the command line may then change "
     "nothing of it."},
    {"evidence",
     "simulated_product",
     &Config::evidence_simulated_product,
     "Simulated only: the processor.",
     {},
     "Milan|Genoa|Turin"},
    {"evidence", "simulated_measurement", &Config::evidence_simulated_measurement,
     "Simulated only: launch measurement, 48 bytes in hexadecimal; empty: SHA-384 of \"waxwing simulated guest\"."},
    {"evidence", "simulated_policy", &Config::evidence_simulated_policy,
     "Simulated only: guest policy, such as `0x30000`; empty: that. Bit 19 is the debug bit."},
    {"evidence", "simulated_host_data", &Config::evidence_simulated_host_data,
     "Simulated only: HOST_DATA, 32 bytes in hexadecimal; empty: zero."},

    {"attestation",
     "reports_per_second",
     &Config::attestation_reports_per_second,
     "Hardware reports per second at most; all who ask between two of them share one.",
     {1, 1000}},
    {"attestation",
     "waiting_nonces",
     &Config::attestation_waiting_nonces,
     "Questions that may wait for a report; more are answered 429.",
     {1, exchange::kMaxNonces}},
    {"attestation",
     "waiting_per_source",
     &Config::attestation_waiting_per_source,
     "The same for one source.",
     {1, exchange::kMaxNonces}},

    {"keys", "kems", &Config::keys_kems,
     "Key encapsulation offered, in order: `x-wing`, `x25519`. Clients make X25519 a warning and use it only when told "
     "to."},
    {"keys",
     "rotation",
     &Config::keys_rotation,
     "Age at which worker keys are made anew.",
     {1000, kMillisecondsPerDay}},
    {"keys",
     "grace",
     &Config::keys_grace,
     "How long requests for the keys before still open; then those are wiped.",
     {1000, kMillisecondsPerDay}},

    {"requests",
     "window",
     &Config::requests_window,
     "How far the date inside a request may be from the gateway's time, either way.",
     {1000, kMillisecondsPerDay}},
    {"requests",
     "replay_entries",
     &Config::requests_replay_entries,
     "Requests remembered to refuse their repetition, about 40 bytes each; a full memory refuses, it does not forget.",
     {1, 1ULL << 32U}},
    {"requests",
     "replay_entries_per_source",
     &Config::requests_replay_entries_per_source,
     "The share of one source in that memory.",
     {1, 1ULL << 32U}},
    {"requests", "body", &Config::requests_body, "Largest body of a request.", {1024, 1ULL << 40U}},

    {"clients", "keys_file", &Config::clients_keys_file,
     "File with one `name:key` a line: who may use this worker, by the Authorization or x-api-key field inside the "
     "seal. Empty: everybody."},

    {"log", "level", &Config::log_level, "Least level that is logged.", {}, "debug|info|warn|error"},
    {"log", "format", &Config::log_format, "Lines of text or of JSON.", {}, "text|json"},
};

// ---- Texts of values ----

struct Unit {
  std::string_view name;
  std::uint64_t size;
};
// Largest first.
constexpr Unit kTimeUnits[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
constexpr Unit kSizeUnits[] = {{"GiB", 1U << 30U}, {"MiB", 1U << 20U}, {"KiB", 1U << 10U}, {"B", 1}};

std::string with_unit(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value % unit.size == 0) return fmt::format("{}{}", value / unit.size, unit.name);
  }
  return fmt::format("{}", value);
}

std::optional<std::uint64_t> read_with_unit(std::string_view text, std::span<const Unit> units) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& unit : units) {
    if (rest == unit.name && value <= std::numeric_limits<std::int64_t>::max() / unit.size) return value * unit.size;
  }
  return std::nullopt;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// A key's value as TOML writes it.
struct WriteValue {
  const Config& config;
  std::string operator()(std::string Config::* at) const { return quoted(config.*at); }
  std::string operator()(std::vector<std::string> Config::* at) const {
    std::string out = "[";
    for (const std::string& text : config.*at) out += (out.size() > 1 ? ", " : "") + quoted(text);
    return out + "]";
  }
  std::string operator()(std::uint64_t Config::* at) const { return fmt::format("{}", config.*at); }
  std::string operator()(bool Config::* at) const { return config.*at ? "true" : "false"; }
  std::string operator()(Milliseconds Config::* at) const {
    const auto value = static_cast<std::uint64_t>((config.*at).count());
    return quoted(value == 0 ? "none" : with_unit(value, kTimeUnits));
  }
  std::string operator()(ByteSize Config::* at) const { return quoted(with_unit((config.*at).bytes, kSizeUnits)); }
};

std::string value_text(const Config& config, const Key& key) {
  return std::visit(WriteValue{config}, key.setting);
}

std::string range_text(const Key& key, std::span<const Unit> units) {
  if (units.empty()) return fmt::format("{} to {}", key.range.least, key.range.most);
  return fmt::format("\"{}\" to \"{}\"", key.range.least == 0 ? "none" : with_unit(key.range.least, units),
                     with_unit(key.range.most, units));
}

/// What may stand there, for errors and documentation.
struct DescribeValue {
  const Key& key;
  std::string operator()(std::string Config::* /*at*/) const {
    if (key.choices.empty()) return "a text";
    std::string out;
    for (std::string_view rest = key.choices; !rest.empty();) {
      const std::size_t bar = rest.find('|');
      out += (out.empty() ? "" : ", ") + quoted(rest.substr(0, bar));
      rest.remove_prefix(bar == std::string_view::npos ? rest.size() : bar + 1);
    }
    return "one of " + out;
  }
  std::string operator()(std::vector<std::string> Config::* /*at*/) const { return "a list of texts"; }
  std::string operator()(std::uint64_t Config::* /*at*/) const { return "a number, " + range_text(key, {}); }
  std::string operator()(bool Config::* /*at*/) const { return "true or false"; }
  std::string operator()(Milliseconds Config::* /*at*/) const { return "a time, " + range_text(key, kTimeUnits); }
  std::string operator()(ByteSize Config::* /*at*/) const { return "a size, " + range_text(key, kSizeUnits); }
};

std::string describe(const Key& key) {
  return std::visit(DescribeValue{key}, key.setting);
}

// ---- Reading ----

bool in_range(const Key& key, std::uint64_t value) {
  return value >= key.range.least && value <= key.range.most;
}

bool is_choice(const Key& key, const std::string& value) {
  if (key.choices.empty()) return true;
  return !value.empty() && !value.contains('|') &&
         fmt::format("|{}|", key.choices).contains(fmt::format("|{}|", value));
}

/// Whether the node holds what the key takes; then it is in the configuration.
struct ReadValue {
  Config& config;
  const Key& key;
  const toml::node& node;

  bool operator()(std::string Config::* at) const {
    const auto* text = node.as_string();
    if (text == nullptr) return false;
    const std::string& value = text->get();
    if (!is_choice(key, value)) return false;
    config.*at = value;
    return true;
  }
  bool operator()(std::vector<std::string> Config::* at) const {
    const toml::array* array = node.as_array();
    if (array == nullptr) return false;
    std::vector<std::string> values;
    for (const toml::node& element : *array) {
      const auto* text = element.as_string();
      if (text == nullptr) return false;
      values.push_back(text->get());
    }
    config.*at = std::move(values);
    return true;
  }
  bool operator()(std::uint64_t Config::* at) const {
    const auto* integer = node.as_integer();
    if (integer == nullptr || integer->get() < 0 || !in_range(key, static_cast<std::uint64_t>(integer->get()))) {
      return false;
    }
    config.*at = static_cast<std::uint64_t>(integer->get());
    return true;
  }
  bool operator()(bool Config::* at) const {
    const auto* boolean = node.as_boolean();
    if (boolean == nullptr) return false;
    config.*at = boolean->get();
    return true;
  }
  bool operator()(Milliseconds Config::* at) const {
    const auto value = measured(kTimeUnits);
    if (!value) return false;
    config.*at = Milliseconds(static_cast<std::int64_t>(*value));
    return true;
  }
  bool operator()(ByteSize Config::* at) const {
    const auto value = measured(kSizeUnits);
    if (!value) return false;
    config.*at = ByteSize{*value};
    return true;
  }

 private:
  [[nodiscard]] std::optional<std::uint64_t> measured(std::span<const Unit> units) const {
    const auto* text = node.as_string();
    if (text == nullptr) return std::nullopt;
    const auto value = text->get() == "none" ? std::optional<std::uint64_t>(0) : read_with_unit(text->get(), units);
    return value && in_range(key, *value) ? value : std::nullopt;
  }
};

/// Edits (insertions, deletions, replacements) between two names.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string suggestion_for(std::string_view name) {
  std::string best;
  constexpr std::size_t kTooFar = 5;
  std::size_t least = kTooFar;
  for (const Key& key : kKeys) {
    // A right key in the wrong section is as near as it gets.
    const std::size_t dot = name.find('.');
    const bool elsewhere = dot != std::string_view::npos && name.substr(dot + 1) == key.name;
    const std::size_t here = elsewhere ? 0 : distance(name, key.full_name());
    if (here < least) {
      least = here;
      best = key.full_name();
    }
  }
  return best.empty() ? "" : fmt::format("; did you mean {}?", best);
}

class Reader {
 public:
  Reader(std::string_view source, Config& config) : source_(source), config_(config) {}

  Result<void> read(const toml::table& top) {
    for (auto&& [name, node] : top) {
      const std::string section(name.str());
      const toml::table* table = node.as_table();
      const bool known = std::ranges::any_of(kKeys, [&](const Key& key) { return key.section == section; });
      if (table == nullptr || !known) {
        return refuse(node, fmt::format("unknown {} {}{}", table != nullptr ? "section" : "key", section,
                                        section_suggestion(section)));
      }
      WAXWING_TRY(read_section(section, *table));
    }
    return {};
  }

 private:
  Result<void> read_section(const std::string& section, const toml::table& table) {
    for (auto&& [name, node] : table) {
      const std::string full = fmt::format("{}.{}", section, name.str());
      const auto* const key =
          std::ranges::find_if(kKeys, [&](const Key& candidate) { return candidate.full_name() == full; });
      if (key == std::end(kKeys)) return refuse(node, fmt::format("unknown key {}{}", full, suggestion_for(full)));
      if (!std::visit(ReadValue{config_, *key, node}, key->setting)) {
        return refuse(node, fmt::format("{} must be {}", full, describe(*key)));
      }
    }
    return {};
  }

  static std::string section_suggestion(std::string_view section) {
    constexpr std::size_t kTooFar = 4;
    std::size_t least = kTooFar;
    std::string_view best;
    for (const Key& key : kKeys) {
      const std::size_t here = section == key.name ? 0 : distance(section, key.section);
      if (here < least) {
        least = here;
        best = key.section;
      }
    }
    return best.empty() ? "" : fmt::format("; did you mean [{}]?", best);
  }

  std::unexpected<Error> refuse(const toml::node& node, const std::string& text) const {
    const toml::source_position at = node.source().begin;
    return fail(Code::config_invalid, fmt::format("{}:{}:{}: {}", source_, at.line, at.column, text));
  }

  std::string_view source_;
  Config& config_;
};

std::unexpected<Error> refuse_key(std::string_view key, std::string_view why) {
  return fail(Code::config_invalid, fmt::format("{}: {}", key, why));
}

/// The command line sets texts without the reader above.
Result<void> validate_choices(const Config& config) {
  for (const Key& key : kKeys) {
    const auto* text = std::get_if<std::string Config::*>(&key.setting);
    if (text != nullptr && !is_choice(key, config.**text))
      return refuse_key(key.full_name(), "must be " + describe(key));
  }
  return {};
}

Result<void> validate_listen(const Config& config) {
  if (config.listen_address.empty()) return refuse_key("listen.address", "must name at least one address");
  for (const std::string& text : config.listen_address) {
    const auto address = net::parse_listen_address(text);
    if (!address) return refuse_key("listen.address", address.error().text());
    if (config.listen_tls == "plain" && !address->is_loopback()) {
      return refuse_key("listen.tls", fmt::format("\"plain\" is for loopback addresses only, not for {}", text));
    }
  }
  const bool files = config.listen_tls == "files";
  if (files != !config.listen_certificate.empty() || files != !config.listen_key.empty()) {
    return refuse_key("listen.tls", "\"files\" needs listen.certificate and listen.key, and only it takes them");
  }
  return {};
}

Result<void> validate_hex(std::string_view key, const std::string& text, std::size_t size) {
  if (text.empty()) return {};
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != size) return refuse_key(key, fmt::format("must be {} bytes in hexadecimal", size));
  return {};
}

Result<void> validate_evidence(const Config& config) {
  constexpr std::size_t kMeasurement = 48;
  constexpr std::size_t kHostData = 32;
  WAXWING_TRY(validate_hex("evidence.simulated_measurement", config.evidence_simulated_measurement, kMeasurement));
  WAXWING_TRY(validate_hex("evidence.simulated_host_data", config.evidence_simulated_host_data, kHostData));
  if (!config.evidence_simulated_policy.empty() && !simulated_policy(config)) {
    return refuse_key("evidence.simulated_policy", "must be a number such as 0x30000");
  }
  const bool simulated = config.evidence_source == "simulated";
  const bool knobs = !config.evidence_simulated_measurement.empty() || !config.evidence_simulated_policy.empty() ||
                     !config.evidence_simulated_host_data.empty();
  if (!simulated && knobs) return refuse_key("evidence.source", "is not \"simulated\", but simulated values are set");
  return {};
}

}  // namespace

std::optional<std::uint64_t> simulated_policy(const Config& config) {
  std::string_view text = config.evidence_simulated_policy;
  if (!text.starts_with("0x")) return std::nullopt;
  text.remove_prefix(2);
  std::uint64_t value = 0;
  constexpr int kHexadecimal = 16;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, kHexadecimal);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<Config> parse_config(std::string_view toml, std::string_view source) {
  if (toml.size() > Limits::local_file().document) {
    return fail(Code::config_invalid, fmt::format("{}: too large", source));
  }
  const toml::parse_result parsed = toml::parse(toml, source);
  if (!parsed) {
    const toml::source_position at = parsed.error().source().begin;
    return fail(Code::config_invalid,
                fmt::format("{}:{}:{}: {}", source, at.line, at.column, parsed.error().description()));
  }
  Config config;
  WAXWING_TRY(Reader(source, config).read(parsed.table()));
  return config;
}

Result<gateway::EngineTarget> engine_target(const Config& config) {
  auto target = gateway::parse_engine(
      config.engine_url, config.engine_allow_remote ? gateway::RemoteEngine::allow : gateway::RemoteEngine::refuse);
  if (!target) return refuse_key("engine.url", target.error().text());
  return target;
}

Result<std::vector<gateway::ExtraPath>> extra_paths(const Config& config) {
  std::vector<gateway::ExtraPath> paths;
  for (const std::string& text : config.engine_extra_paths) {
    auto path = gateway::parse_extra_path(text);
    if (!path) return refuse_key("engine.extra_paths", path.error().text());
    paths.push_back(*std::move(path));
  }
  return paths;
}

Result<std::vector<crypto::KemId>> kems(const Config& config) {
  std::vector<crypto::KemId> ids;
  for (const std::string& text : config.keys_kems) {
    const crypto::KemId id = text == "x25519" ? crypto::KemId::x25519 : crypto::KemId::x_wing;
    if (text != crypto::to_string(id) || std::ranges::find(ids, id) != ids.end()) {
      return refuse_key("keys.kems", "may hold \"x-wing\" and \"x25519\", each once");
    }
    ids.push_back(id);
  }
  if (ids.empty()) return refuse_key("keys.kems", "must name at least one");
  return ids;
}

Result<void> validate(const Config& config) {
  WAXWING_TRY(validate_choices(config));
  WAXWING_TRY(validate_listen(config));
  WAXWING_TRY(engine_target(config));
  WAXWING_TRY(extra_paths(config));
  WAXWING_TRY(kems(config));
  return validate_evidence(config);
}

std::string canonical(const Config& config) {
  std::vector<std::string> lines;
  for (const Key& key : kKeys) lines.push_back(fmt::format("{} = {}\n", key.full_name(), value_text(config, key)));
  std::ranges::sort(lines);
  std::string out;
  for (const std::string& line : lines) out += line;
  return out;
}

crypto::Sha256Digest config_sha256(const Config& config) {
  return crypto::sha256(as_bytes(canonical(config)));
}

std::string config_markdown() {
  const Config defaults;
  std::string out =
      "# Configuration of waxwing-gateway\n\n"
      "<!-- Made by: waxwing-gateway check-config --markdown -->\n\n"
      "A TOML file, named by `--config` or `$WAXWING_GATEWAY_CONFIG`, else `/etc/waxwing/gateway.toml` where that "
      "exists, "
      "else the defaults. Unknown keys are errors. Times are written `\"250ms\"`, `\"30s\"`, `\"10m\"`, `\"1h\"`, "
      "sizes "
      "`\"64KiB\"`, `\"128MiB\"`. `waxwing-gateway check-config --canonical` prints every key with its value; the "
      "SHA-256 of "
      "that is the statement's `config_sha256`.\n";
  std::string_view section;
  for (const Key& key : kKeys) {
    if (key.section != section) {
      section = key.section;
      out += fmt::format("\n## [{}]\n\n| key | default | takes | meaning |\n|---|---|---|---|\n", section);
    }
    std::string meaning(key.meaning);
    out += fmt::format("| `{}` | `{}` | {} | {} |\n", key.name, value_text(defaults, key), describe(key), meaning);
  }
  return out;
}

std::string config_help() {
  const Config defaults;
  std::string out = "Configuration keys (TOML) and their defaults; docs/gateway-configuration.md tells more:\n";
  std::string_view section;
  for (const Key& key : kKeys) {
    if (key.section != section) {
      section = key.section;
      out += fmt::format("\n[{}]\n", section);
    }
    out += fmt::format("  {} = {}\n", key.name, value_text(defaults, key));
  }
  return out;
}

}  // namespace waxwing::gateway_app
