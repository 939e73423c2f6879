#include "broker/config.hpp"

#include "base/log.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

namespace rafka::broker {
namespace {

using metadata::ConfigKey;
using metadata::ConfigScope;
using metadata::ConfigType;
using metadata::ConfigUnit;
using metadata::Endpoint;

struct Given {
    std::string value;
    std::string place;
};

// What may stand behind a number that is none as it is.
std::string_view units_of(const ConfigKey& key, std::string_view value) {
    bool is_number = !value.empty() && value.find_first_not_of("-0123456789") == value.npos;
    if (is_number || key.unit() == ConfigUnit::none) return "";
    return key.unit() == ConfigUnit::bytes ? " (units: kB, MB, GB, TB, KiB, MiB, GiB, TiB)" : " (units: ms, s, m, h, d, w)";
}

// A config being read: layer upon layer, then built once.
class Reading {
public:
    explicit Reading(std::string default_directory) : default_directory_(std::move(default_directory)) {}

    void file(const std::string& path, std::string_view text);
    void environment(const std::vector<std::pair<std::string, std::string>>& variables);
    void set(std::string_view name, std::string_view value, const std::string& place);
    tl::expected<Config, ConfigErrors> build();

private:
    void take(std::string_view name, const toml::node& node, const std::string& place);
    void error(const std::string& place, std::string_view sentence) { errors_.push_back(fmt::format("{}: error: {}", place, sentence)); }
    void unknown(std::string_view name, const std::string& place);

    bool is_set(std::string_view name) const { return given_.find(name) != given_.end(); }
    std::string place_of(std::string_view name) const { return is_set(name) ? given_.find(name)->second.place : std::string("default"); }
    std::optional<std::string> text(std::string_view name) const;
    int64_t number(std::string_view name) const;
    bool flag(std::string_view name) const { return text(name) == "true"; }
    std::vector<std::string> list(std::string_view name) const { return metadata::split_list(text(name).value_or("")); }

    void build_node(Config& config);
    void build_directory(Config& config);
    void build_listeners(Config& config);
    void build_controller(Config& config, const std::vector<Endpoint>& named);
    std::vector<Endpoint> endpoints(std::string_view name);
    bool is_controller(std::string_view listener) const { return std::ranges::count(list("controller.listener.names"), listener) > 0; }
    bool is_plaintext(std::string_view listener, const std::string& place);

    std::string default_directory_;
    std::map<std::string, Given, std::less<>> given_;
    std::map<std::string, std::string, std::less<>> ignored_;  // Key and place.
    std::vector<std::string> notes_;
    ConfigErrors errors_;
};

std::optional<std::string> scalar(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
    if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    return std::nullopt;
}

// A key as a file has it, before it is looked up.
struct Found {
    std::string name;
    const toml::node* node = nullptr;
    toml::source_position at;
};

void flatten(const std::string& prefix, const toml::table& table, std::vector<Found>& out) {
    for (const auto& [key, node] : table) {
        auto name = prefix + std::string(key.str());
        if (const auto* inner = node.as_table()) flatten(name + ".", *inner, out);
        else out.push_back({std::move(name), &node, key.source().begin});
    }
}

// The parser gives the place of a dotted key's last part; the reader's eye begins at the first.
uint32_t first_column(std::string_view text, uint32_t line) {
    while (--line > 0) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    return uint32_t(std::min(text.find_first_not_of(" \t"), text.size())) + 1;
}

void Reading::file(const std::string& path, std::string_view text) {
    toml::table document;
    try {
        document = toml::parse(text, path);
    } catch (const toml::parse_error& failure) {
        auto at = failure.source().begin;
        auto hint = path.ends_with(".properties") ? " (this is read as TOML, where text stands in quotes: log.dirs = \"/data\")" : "";
        return error(fmt::format("{}:{}:{}", path, at.line, at.column), fmt::format("{}{}", failure.description(), hint));
    }
    std::vector<Found> found;
    flatten("", document, found);
    std::ranges::sort(found, {}, [](const Found& key) { return std::pair(key.at.line, key.at.column); });
    std::set<std::string_view> seen;
    for (const auto& [name, node, at] : found) {
        auto place = fmt::format("{}:{}:{}", path, at.line, first_column(text, at.line));
        if (!seen.insert(name).second) error(place, fmt::format("key \"{}\" is set twice", name));
        else take(name, *node, place);
    }
}

void Reading::take(std::string_view name, const toml::node& node, const std::string& place) {
    if (const auto* array = node.as_array()) {
        std::vector<std::string> values;
        for (const auto& element : *array) {
            auto value = scalar(element);
            if (!value) return error(place, fmt::format("an element of \"{}\" is neither text nor number", name));
            values.push_back(*value);
        }
        return set(name, fmt::format("{}", fmt::join(values, ",")), place);
    }
    auto value = scalar(node);
    if (!value) return error(place, fmt::format("\"{}\" cannot be a date or a time", name));
    set(name, *value, place);
}

void Reading::environment(const std::vector<std::pair<std::string, std::string>>& variables) {
    std::map<std::string, std::string_view> names;
    for (const auto& key : metadata::config_keys(ConfigScope::broker)) names.emplace(environment_name(key.name), key.name);
    for (auto key : metadata::ignored_broker_keys()) names.emplace(environment_name(key), key);
    for (const auto& [variable, value] : variables) {
        if (!variable.starts_with("RAFKA_")) continue;
        auto at = names.find(variable);
        if (at != names.end()) set(at->second, value, variable);
        else notes_.push_back(fmt::format("environment variable sets no key: {}", variable));
    }
}

void Reading::unknown(std::string_view name, const std::string& place) {
    if (name.starts_with("zookeeper.")) {
        return error(place, fmt::format("\"{}\": there is no ZooKeeper here; metadata is in the data directory", name));
    }
    if (metadata::find_config(ConfigScope::topic, name)) {
        for (const auto& key : metadata::config_keys(ConfigScope::broker)) {
            if (key.documentation == fmt::format("Default of {}.", name)) {
                return error(place, fmt::format("\"{}\" is a topic's key; did you mean \"{}\"?", name, key.name));
            }
        }
    }
    auto nearest = metadata::nearest_broker_key(name);
    if (nearest.empty()) return error(place, fmt::format("unknown key \"{}\"", name));
    error(place, fmt::format("unknown key \"{}\"; did you mean \"{}\"?", name, nearest));
}

void Reading::set(std::string_view name, std::string_view value, const std::string& place) {
    if (name == "authorizer.class.name" && !value.empty()) {
        return error(place, "\"authorizer.class.name\" asks for access control, which there is not");
    }
    const auto* key = metadata::find_config(ConfigScope::broker, name);
    if (!key) {
        if (!metadata::is_ignored_broker_key(name)) return unknown(name, place);
        ignored_.insert_or_assign(std::string(name), place);
        return;
    }
    std::string plain(value);
    if (auto unit = key->unit(); unit != ConfigUnit::none) {
        if (auto number = quantity(unit, value)) plain = fmt::format("{}", *number);
    }
    if (auto objection = metadata::check_config(*key, plain)) return error(place, fmt::format("{}{}", *objection, units_of(*key, plain)));
    given_.insert_or_assign(std::string(name), Given{metadata::canonical(*key, plain), place});
}

std::optional<std::string> Reading::text(std::string_view name) const {
    if (auto at = given_.find(name); at != given_.end()) return at->second.value;
    const auto* key = metadata::find_config(ConfigScope::broker, name);
    if (!key || !key->default_value) return std::nullopt;
    return std::string(*key->default_value);
}

int64_t Reading::number(std::string_view name) const {
    auto value = text(name).value_or("0");
    int64_t out = 0;
    std::from_chars(value.data(), value.data() + value.size(), out);
    return out;
}

void Reading::build_node(Config& config) {
    if (is_set("broker.id") && is_set("node.id") && text("broker.id") != text("node.id")) {
        error(place_of("broker.id"), "\"broker.id\" is an older name of \"node.id\", and says another number");
    }
    config.node_id = int32_t(number(is_set("node.id") || !is_set("broker.id") ? "node.id" : "broker.id"));
    config.rack = text("broker.rack");
    config.cluster_id = text("rafka.cluster.id");
    auto roles = list("process.roles");
    for (std::string_view role : {"broker", "controller"}) {
        if (std::ranges::count(roles, role) > 0) continue;
        error(place_of("process.roles"), fmt::format("this process is broker and controller in one; \"process.roles\" leaves out {}", role));
    }
}

void Reading::build_directory(Config& config) {
    auto name = is_set("log.dirs") || !is_set("log.dir") ? "log.dirs" : "log.dir";
    auto directories = list(name);
    if (is_set(name) && directories.size() != 1) {
        return error(place_of(name), fmt::format("there can be one data directory; \"{}\" names {}", name, directories.size()));
    }
    config.log_directory = is_set(name) ? directories.front() : default_directory_;
    if (config.log_directory.empty()) error("default", "no data directory: set \"log.dirs\"");
}

std::vector<Endpoint> Reading::endpoints(std::string_view name) {
    std::vector<Endpoint> out;
    for (const auto& text : list(name)) {
        auto endpoint = parse_endpoint(text);
        if (!endpoint) {
            error(place_of(name), fmt::format("\"{}\" in \"{}\" is not NAME://HOST:PORT", text, name));
            continue;
        }
        if (std::ranges::count(out, endpoint->name, &Endpoint::name) > 0) {
            error(place_of(name), fmt::format("\"{}\" names {} twice", name, endpoint->name));
        }
        out.push_back(*endpoint);
    }
    return out;
}

bool Reading::is_plaintext(std::string_view listener, const std::string& place) {
    std::string protocol(listener);
    for (const auto& entry : list("listener.security.protocol.map")) {
        auto colon = entry.find(':');
        if (entry.substr(0, colon) == listener && colon != entry.npos) protocol = entry.substr(colon + 1);
    }
    if (protocol == "PLAINTEXT") return true;
    if (protocol == "SSL" || protocol == "SASL_PLAINTEXT" || protocol == "SASL_SSL") {
        error(place, fmt::format("listener {} asks for {}; PLAINTEXT is the only protocol there is", listener, protocol));
    } else {
        error(place, fmt::format("no protocol for listener {} in \"listener.security.protocol.map\"", listener));
    }
    return false;
}

void Reading::build_controller(Config& config, const std::vector<Endpoint>& named) {
    config.controller = Endpoint{"CONTROLLER", "localhost", 9093, 0};
    if (auto names = list("controller.listener.names"); !names.empty()) config.controller.name = names.front();
    if (!named.empty()) {
        config.controller = named.front();
        if (config.controller.host.empty()) config.controller.host = "localhost";
        return;
    }
    auto servers = list("controller.quorum.bootstrap.servers");
    if (servers.empty()) return;
    auto server = servers.size() == 1 ? parse_endpoint(servers.front()) : std::nullopt;
    if (!server) return error(place_of("controller.quorum.bootstrap.servers"), "expected one HOST:PORT: the controller is part of this process");
    config.controller.host = server->host;
    config.controller.port = server->port;
}

void Reading::build_listeners(Config& config) {
    std::vector<Endpoint> controllers;
    for (auto& endpoint : endpoints("listeners")) {
        if (!is_plaintext(endpoint.name, place_of("listeners"))) continue;
        (is_controller(endpoint.name) ? controllers : config.listeners).push_back(std::move(endpoint));
    }
    if (config.listeners.empty() && errors_.empty()) error(place_of("listeners"), "\"listeners\" names none for clients");
    build_controller(config, controllers);
    for (auto& endpoint : endpoints("advertised.listeners")) {
        if (is_controller(endpoint.name)) continue;
        if (std::ranges::count(config.listeners, endpoint.name, &Endpoint::name) == 0) {
            error(place_of("advertised.listeners"), fmt::format("\"advertised.listeners\" names {}, which \"listeners\" does not", endpoint.name));
        }
        if (endpoint.host.empty() || endpoint.host == "0.0.0.0" || endpoint.host == "::") {
            error(place_of("advertised.listeners"), fmt::format("clients cannot connect to {}", to_text(endpoint)));
        }
        config.advertised.push_back(std::move(endpoint));
    }
}

tl::expected<Config, ConfigErrors> Reading::build() {
    Config config;
    build_node(config);
    build_directory(config);
    build_listeners(config);
    config.num_partitions = int32_t(number("num.partitions"));
    config.default_replication_factor = int16_t(std::min<int64_t>(number("default.replication.factor"), std::numeric_limits<int16_t>::max()));
    config.auto_create_topics = flag("auto.create.topics.enable");
    config.delete_topics = flag("delete.topic.enable");
    config.fetch_bytes_max = uint32_t(number("fetch.max.bytes"));
    config.request_bytes_max = uint32_t(number("socket.request.max.bytes"));
    config.connection_idle_ms = number("connections.max.idle.ms");
    config.connections_max = uint32_t(number("max.connections"));
    config.fetch_sessions_max = uint32_t(number("max.incremental.fetch.session.cache.slots"));
    config.producer_id_expiration_ms = number("producer.id.expiration.ms");
    config.checkpoint_interval_ms = number("log.flush.offset.checkpoint.interval.ms");
    auto backend = text("rafka.io.backend");
    config.io_backend = backend == "uring" ? IoBackend::uring : backend == "epoll" ? IoBackend::epoll : IoBackend::automatic;
    config.loops = uint32_t(number("rafka.loops"));
    config.chunk_memory_max = uint64_t(number("rafka.memory.chunk.bytes"));
    config.direct = flag("rafka.storage.direct");
    config.log_level = text("rafka.log.level").value_or("info");
    if (!errors_.empty()) return tl::unexpected(std::move(errors_));

    for (auto& [name, given] : given_) config.values.emplace(name, given.value);
    if (!ignored_.empty()) {
        std::string names;
        for (const auto& [name, place] : ignored_) names += (names.empty() ? "" : ", ") + name;
        notes_.push_back(fmt::format("keys of Kafka's that do nothing here: {}", names));
    }
    config.notes = std::move(notes_);
    return config;
}

}  // namespace

std::string environment_name(std::string_view key) {
    if (key.starts_with("rafka.")) key.remove_prefix(6);
    std::string out = "RAFKA_";
    for (char c : key) {
        if (c == '.') out += "_";
        else if (c == '_') out += "__";
        else if (c == '-') out += "___";
        else out += c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c;
    }
    return out;
}

std::optional<int64_t> quantity(metadata::ConfigUnit unit, std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return std::nullopt;
    auto suffix = text.substr(size_t(end - text.data()));
    while (!suffix.empty() && suffix.front() == ' ') suffix.remove_prefix(1);
    if (suffix.empty()) return value;

    static constexpr std::pair<std::string_view, int64_t> times[]{
        {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}, {"w", 604'800'000}};
    static constexpr std::pair<std::string_view, int64_t> sizes[]{
        {"B", 1}, {"kB", 1000}, {"KB", 1000}, {"MB", 1'000'000}, {"GB", 1'000'000'000}, {"TB", 1'000'000'000'000},
        {"KiB", 1ll << 10}, {"MiB", 1ll << 20}, {"GiB", 1ll << 30}, {"TiB", 1ll << 40}};
    int64_t base = 1;
    switch (unit) {
        case metadata::ConfigUnit::none: return std::nullopt;
        case metadata::ConfigUnit::milliseconds: base = 1; break;
        case metadata::ConfigUnit::seconds: base = 1000; break;
        case metadata::ConfigUnit::minutes: base = 60'000; break;
        case metadata::ConfigUnit::hours: base = 3'600'000; break;
        case metadata::ConfigUnit::bytes: base = 1; break;
    }
    bool is_size = unit == metadata::ConfigUnit::bytes;
    auto scale = [&](auto& units) -> std::optional<int64_t> {
        for (const auto& [name, factor] : units) {
            if (name != suffix) continue;
            int64_t total = 0;
            if (__builtin_mul_overflow(value, factor, &total) || total % base != 0) return std::nullopt;
            return total / base;
        }
        return std::nullopt;
    };
    return is_size ? scale(sizes) : scale(times);
}

std::optional<metadata::Endpoint> parse_endpoint(std::string_view text) {
    metadata::Endpoint out{"PLAINTEXT", "", 0, 0};
    if (auto slashes = text.find("://"); slashes != text.npos) {
        out.name = text.substr(0, slashes);
        for (auto& c : out.name) c = c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c;
        text.remove_prefix(slashes + 3);
    }
    if (out.name.empty()) return std::nullopt;
    std::string_view port = text;
    if (auto colon = text.rfind(':'); colon != text.npos) {
        auto host = text.substr(0, colon);
        if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
        else if (host.find(':') != host.npos) return std::nullopt;
        out.host = host;
        port = text.substr(colon + 1);
    }
    auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (port.empty() || error != std::errc{} || end != port.data() + port.size()) return std::nullopt;
    return out;
}

std::string to_text(const metadata::Endpoint& endpoint) {
    if (endpoint.host.find(':') != std::string::npos) return fmt::format("{}://[{}]:{}", endpoint.name, endpoint.host, endpoint.port);
    return fmt::format("{}://{}:{}", endpoint.name, endpoint.host, endpoint.port);
}

std::vector<metadata::Endpoint> advertise(const Config& config, const std::vector<uint16_t>& ports, std::string_view hostname) {
    std::vector<metadata::Endpoint> out;
    for (size_t i = 0; i < config.listeners.size(); ++i) {
        auto bound = config.listeners[i];
        if (i < ports.size()) bound.port = ports[i];
        auto told = std::ranges::find(config.advertised, bound.name, &metadata::Endpoint::name);
        if (told != config.advertised.end()) {
            auto endpoint = *told;
            if (endpoint.port == 0) endpoint.port = bound.port;
            out.push_back(endpoint);
            continue;
        }
        if (bound.host.empty() || bound.host == "0.0.0.0" || bound.host == "::") bound.host = hostname;
        out.push_back(bound);
    }
    return out;
}

tl::expected<Config, ConfigErrors> read_config(const ConfigInputs& inputs) {
    Reading reading(inputs.default_directory);
    for (const auto& [path, text] : inputs.files) reading.file(path, text);
    reading.environment(inputs.environment);
    for (const auto& setting : inputs.settings) reading.set(setting.key, setting.value, setting.origin);
    return reading.build();
}

}  // namespace rafka::broker
