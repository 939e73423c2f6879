#pragma once

// Every config key that rafka knows, in one table: Kafka's names, types, defaults and limits, what a key falls back to,
// and what it does here. Pure: the layers of values are passed in. The config file, DescribeConfigs, AlterConfigs,
// CreateTopics and the manual are all held against this table.

#include <rafka/options.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rafka::metadata {

// Ids as on the wire (DescribeConfigs).
enum class ConfigType : int8_t { boolean = 1, string, int32, int16, int64, real, list, class_name, password };
enum class ConfigSource : int8_t {
    topic = 1, dynamic_broker, dynamic_default_broker, static_broker, default_value, broker_logger, client_metrics, group
};
enum class ConfigScope : uint8_t { topic, broker };

// What a key does in rafka. A stored key is valid, kept and shown, and takes effect when what it governs exists.
enum class ConfigEffect : uint8_t { honoured, stored };

// How a config file may write a number: "7d" for milliseconds, "1GiB" for bytes.
enum class ConfigUnit : uint8_t { none, milliseconds, seconds, minutes, hours, bytes };

struct ConfigCheck {
    enum class Kind : uint8_t { none, at_least, between, one_of, list_of, gzip_level, throttled_replicas };
    Kind kind = Kind::none;
    int64_t low = 0;
    int64_t high = 0;
    std::string_view choices;  // Comma-separated.
};

struct ConfigKey {
    std::string_view name;
    ConfigType type{};
    std::optional<std::string_view> default_value;  // nullopt: none, Kafka's null.
    ConfigCheck check;
    bool dynamic = false;
    ConfigEffect effect{};
    std::string_view documentation;

    ConfigUnit unit() const;  // By the suffix of the name, as Kafka names things.
    bool sensitive() const { return type == ConfigType::password; }
};

// All keys of a scope, ordered by name.
std::span<const ConfigKey> config_keys(ConfigScope scope);
const ConfigKey* find_config(ConfigScope scope, std::string_view name);

// A broker key of Kafka's that is accepted and does nothing here.
bool is_ignored_broker_key(std::string_view name);
std::span<const std::string_view> ignored_broker_keys();
// The known broker key that `name` most likely means; empty if none is near.
std::string_view nearest_broker_key(std::string_view name);

// A sentence as Kafka's if the value may not be set; nullopt: fine.
std::optional<std::string> check_config(const ConfigKey& key, std::string_view value);
// The value as DescribeConfigs shows it: trimmed, lists without blanks. Requires that check_config() had no objection.
std::string canonical(const ConfigKey& key, std::string_view value);
std::vector<std::string> split_list(std::string_view value);

using ConfigMap = std::map<std::string, std::string, std::less<>>;

// Values of broker keys, strongest first. Borrowed.
struct BrokerConfigs {
    const ConfigMap& dynamic_broker;
    const ConfigMap& dynamic_default;
    const ConfigMap& static_broker;
};

// Checks all overrides of a topic: names, values, and values against each other.
std::optional<std::string> check_topic_configs(const ConfigMap& topic, const BrokerConfigs& broker);
// The same for what AlterConfigs would set on a broker, or on the default of all brokers.
std::optional<std::string> check_broker_configs(const ConfigMap& changed);

// The value that is in force. Null if the key has none and no default.
std::optional<std::string> topic_config(std::string_view name, const ConfigMap& topic, const BrokerConfigs& broker);
std::optional<std::string> broker_config(std::string_view name, const BrokerConfigs& broker);

struct ConfigSynonym {
    std::string name;
    std::optional<std::string> value;
    ConfigSource source{};
};

// One line of DescribeConfigs. The value is null for a sensitive key.
struct ConfigEntry {
    const ConfigKey* key = nullptr;
    std::optional<std::string> value;
    ConfigSource source = ConfigSource::default_value;
    bool read_only = false;
    std::vector<ConfigSynonym> synonyms;  // Nearest first, beginning with the one in force.
};
std::vector<ConfigEntry> describe_topic(const ConfigMap& topic, const BrokerConfigs& broker);
std::vector<ConfigEntry> describe_broker(const BrokerConfigs& broker);
// What DescribeConfigs says of the default of all brokers (the broker resource without a name).
std::vector<ConfigEntry> describe_broker_default(const BrokerConfigs& broker);

// What the engine needs to know of a topic. Requires that check_topic_configs() had no objection.
LogOptions log_options(const ConfigMap& topic, const BrokerConfigs& broker);

}  // namespace rafka::metadata
