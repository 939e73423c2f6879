#include "metadata/config_table.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"  // For fmt.


#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

// What a value may be, and which of several is in force.

namespace rafka::metadata {
namespace {

std::string_view trim(std::string_view text) {
    auto blank = [](char c) { return uint8_t(c) <= ' '; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
    return out;
}

bool is_integer(ConfigType type) {
    return type == ConfigType::int16 || type == ConfigType::int32 || type == ConfigType::int64;
}

std::optional<int64_t> to_integer(ConfigType type, std::string_view text) {
    text = trim(text);
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (type == ConfigType::int32 && value != int32_t(value)) return std::nullopt;
    if (type == ConfigType::int16 && value != int16_t(value)) return std::nullopt;
    return value;
}

std::optional<double> to_real(std::string_view text) {
    text = trim(text);
    double value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string show_real(double value) {
    auto text = fmt::format("{}", value);
    if (text.find_first_of(".eni") == std::string::npos) text += ".0";
    return text;
}

std::string invalid(const ConfigKey& key, std::string_view value, std::string_view why) {
    return fmt::format("Invalid value {} for configuration {}: {}", value, key.name, why);
}

std::string spaced(std::string_view choices) { return fmt::format("{}", fmt::join(split_list(choices), ", ")); }

bool is_choice(std::string_view value, std::string_view choices) {
    return std::ranges::count(split_list(choices), value) > 0;
}

std::optional<std::string> check_number(const ConfigKey& key, double number, std::string_view shown) {
    const auto& check = key.check;
    switch (check.kind) {
        case ConfigCheck::Kind::at_least:
        case ConfigCheck::Kind::between:
            if (number < double(check.low)) return invalid(key, shown, fmt::format("Value must be at least {}", check.low));
            if (check.kind == ConfigCheck::Kind::between && number > double(check.high)) {
                return invalid(key, shown, fmt::format("Value must be no more than {}", check.high));
            }
            break;
        case ConfigCheck::Kind::gzip_level:
            if (number > double(check.high) || (number < double(check.low) && number != -1)) {
                return invalid(key, shown, fmt::format("Value must be between {} and {} or equal to -1", check.low, check.high));
            }
            break;
        default: break;
    }
    return std::nullopt;
}

// PARTITION:BROKER, or nothing.
bool is_replica(std::string_view text) {
    if (text.empty()) return true;
    auto colon = text.find(':');
    auto digits = [](std::string_view part) {
        return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    };
    return colon != text.npos && digits(text.substr(0, colon)) && digits(text.substr(colon + 1));
}

// What a list says twice counts once, except in lists of replicas, which stay as they are.
std::vector<std::string> distinct(const ConfigKey& key, const std::vector<std::string>& values) {
    if (key.check.kind == ConfigCheck::Kind::throttled_replicas) return values;
    std::vector<std::string> out;
    for (const auto& value : values) {
        if (std::ranges::count(out, value) == 0) out.push_back(value);
    }
    return out;
}

std::optional<std::string> check_list(const ConfigKey& key, const std::vector<std::string>& values) {
    if (key.check.kind == ConfigCheck::Kind::throttled_replicas) {
        if (values.size() == 1 && values[0] == "*") return std::nullopt;
        if (std::ranges::all_of(values, is_replica)) return std::nullopt;
        return invalid(key, fmt::format("[{}]", fmt::join(values, ", ")),
                       fmt::format("{} must be the literal '*' or a list of replicas in the following format: "
                                   "[partitionId]:[brokerId],[partitionId]:[brokerId],...", key.name));
    }
    for (const auto& value : values) {
        if (value.empty()) return fmt::format("Configuration '{}' values must not be empty.", key.name);
        if (key.check.kind == ConfigCheck::Kind::list_of && !is_choice(value, key.check.choices)) {
            return invalid(key, value, "String must be one of: " + spaced(key.check.choices));
        }
    }
    return std::nullopt;
}

struct Source {
    std::string_view name;  // A broker key.
    int64_t factor = 1;     // What turns its value into the topic key's.
};

// The broker keys a topic key falls back to, strongest first.
std::vector<Source> sources_of(std::string_view topic_key) {
    constexpr int64_t minute = 60 * 1000, hour = 60 * minute;
    static const std::map<std::string_view, std::vector<Source>> table{
        {"cleanup.policy", {{"log.cleanup.policy"}}},
        {"compression.gzip.level", {{"compression.gzip.level"}}},
        {"compression.lz4.level", {{"compression.lz4.level"}}},
        {"compression.type", {{"compression.type"}}},
        {"compression.zstd.level", {{"compression.zstd.level"}}},
        {"delete.retention.ms", {{"log.cleaner.delete.retention.ms"}}},
        {"file.delete.delay.ms", {{"log.segment.delete.delay.ms"}}},
        {"flush.messages", {{"log.flush.interval.messages"}}},
        {"flush.ms", {{"log.flush.interval.ms"}, {"log.flush.scheduler.interval.ms"}}},
        {"index.interval.bytes", {{"log.index.interval.bytes"}}},
        {"local.retention.bytes", {{"log.local.retention.bytes"}}},
        {"local.retention.ms", {{"log.local.retention.ms"}}},
        {"max.compaction.lag.ms", {{"log.cleaner.max.compaction.lag.ms"}}},
        {"max.message.bytes", {{"message.max.bytes"}}},
        {"message.timestamp.after.max.ms", {{"log.message.timestamp.after.max.ms"}}},
        {"message.timestamp.before.max.ms", {{"log.message.timestamp.before.max.ms"}}},
        {"message.timestamp.type", {{"log.message.timestamp.type"}}},
        {"min.cleanable.dirty.ratio", {{"log.cleaner.min.cleanable.ratio"}}},
        {"min.compaction.lag.ms", {{"log.cleaner.min.compaction.lag.ms"}}},
        {"min.insync.replicas", {{"min.insync.replicas"}}},
        {"preallocate", {{"log.preallocate"}}},
        {"retention.bytes", {{"log.retention.bytes"}}},
        {"retention.ms", {{"log.retention.ms"}, {"log.retention.minutes", minute}, {"log.retention.hours", hour}}},
        {"segment.bytes", {{"log.segment.bytes"}}},
        {"segment.index.bytes", {{"log.index.size.max.bytes"}}},
        {"segment.jitter.ms", {{"log.roll.jitter.ms"}, {"log.roll.jitter.hours", hour}}},
        {"segment.ms", {{"log.roll.ms"}, {"log.roll.hours", hour}}},
        {"unclean.leader.election.enable", {{"unclean.leader.election.enable"}}},
    };
    auto at = table.find(topic_key);
    return at == table.end() ? std::vector<Source>{} : at->second;
}

// Keys of a broker that stand in for each other, strongest first.
std::vector<std::string_view> broker_synonyms(std::string_view name) {
    static const std::vector<std::vector<std::string_view>> families{
        {"log.roll.ms", "log.roll.hours"},
        {"log.roll.jitter.ms", "log.roll.jitter.hours"},
        {"log.retention.ms", "log.retention.minutes", "log.retention.hours"},
        {"node.id", "broker.id"},
    };
    for (const auto& family : families) {
        if (std::ranges::count(family, name) > 0) return family;
    }
    if (name == "log.flush.interval.ms") return {name, "log.flush.scheduler.interval.ms"};
    return {name};
}

const std::string* look_up(const ConfigMap& map, std::string_view name) {
    auto at = map.find(name);
    return at == map.end() ? nullptr : &at->second;
}

// As Kafka lists them: by layer, and what stands before the key's own name is left out.
std::vector<ConfigSynonym> synonyms_of(std::string_view name, const BrokerConfigs& broker) {
    std::vector<ConfigSynonym> out;
    const auto names = broker_synonyms(name);
    auto add = [&](std::string_view synonym, std::string_view value, ConfigSource source) {
        const auto* key = find_config(ConfigScope::broker, synonym);
        std::optional<std::string> shown;
        if (!key || !key->sensitive()) shown = value;
        out.push_back({std::string(synonym), std::move(shown), source});
    };
    auto layer = [&](const ConfigMap& map, ConfigSource source) {
        for (auto synonym : names) {
            if (const auto* value = look_up(map, synonym)) add(synonym, *value, source);
        }
    };
    layer(broker.dynamic_broker, ConfigSource::dynamic_broker);
    layer(broker.dynamic_default, ConfigSource::dynamic_default_broker);
    layer(broker.static_broker, ConfigSource::static_broker);
    for (auto synonym : names) {
        const auto* key = find_config(ConfigScope::broker, synonym);
        if (key && key->default_value) add(synonym, *key->default_value, ConfigSource::default_value);
    }
    auto own = std::ranges::find(out, name, &ConfigSynonym::name);
    out.erase(out.begin(), own);
    return out;
}

std::optional<std::string> shown(const ConfigKey& key, const std::optional<std::string>& value) {
    if (!value || key.sensitive()) return std::nullopt;
    if (check_config(key, *value)) return value;
    return canonical(key, *value);
}

int64_t integer(std::string_view name, const ConfigMap& topic, const BrokerConfigs& broker) {
    auto value = topic_config(name, topic, broker);
    ASSERT(value.has_value());
    auto number = to_integer(ConfigType::int64, *value);
    ASSERT(number.has_value());
    return *number;
}

}  // namespace

std::vector<std::string> split_list(std::string_view value) {
    std::vector<std::string> out;
    value = trim(value);
    if (value.empty()) return out;
    for (;;) {
        auto comma = value.find(',');
        out.emplace_back(trim(value.substr(0, comma)));
        if (comma == value.npos) return out;
        value.remove_prefix(comma + 1);
    }
}

std::optional<std::string> check_config(const ConfigKey& key, std::string_view value) {
    if (is_integer(key.type)) {
        auto number = to_integer(key.type, value);
        if (!number) {
            auto type = key.type == ConfigType::int64 ? "LONG" : key.type == ConfigType::int32 ? "INT" : "SHORT";
            return invalid(key, value, fmt::format("Not a number of type {}", type));
        }
        return check_number(key, double(*number), fmt::format("{}", *number));
    }
    switch (key.type) {
        case ConfigType::boolean: {
            auto word = lower(trim(value));
            if (word == "true" || word == "false") return std::nullopt;
            return invalid(key, value, "Expected value to be either true or false");
        }
        case ConfigType::real: {
            auto number = to_real(value);
            if (!number) return invalid(key, value, "Not a number of type DOUBLE");
            return check_number(key, *number, show_real(*number));
        }
        case ConfigType::list: return check_list(key, split_list(value));
        default: break;
    }
    if (key.check.kind == ConfigCheck::Kind::one_of && !is_choice(trim(value), key.check.choices)) {
        return invalid(key, trim(value), "String must be one of: " + spaced(key.check.choices));
    }
    return std::nullopt;
}

std::string canonical(const ConfigKey& key, std::string_view value) {
    if (is_integer(key.type)) return fmt::format("{}", *to_integer(key.type, value));
    switch (key.type) {
        case ConfigType::boolean: return lower(trim(value));
        case ConfigType::real: return show_real(*to_real(value));
        case ConfigType::list: return fmt::format("{}", fmt::join(distinct(key, split_list(value)), ","));
        default: return std::string(trim(value));
    }
}

std::optional<std::string> check_topic_configs(const ConfigMap& topic, const BrokerConfigs& broker) {
    for (const auto& [name, value] : topic) {
        const auto* key = find_config(ConfigScope::topic, name);
        if (!key) return "Unknown topic config name: " + name;
        if (auto objection = check_config(*key, value)) return objection;
    }
    auto lag_min = integer("min.compaction.lag.ms", topic, broker), lag_max = integer("max.compaction.lag.ms", topic, broker);
    if (lag_min > lag_max) {
        return fmt::format("conflict topic config setting min.compaction.lag.ms ({}) > max.compaction.lag.ms ({})", lag_min, lag_max);
    }
    if (auto value = topic_config("remote.storage.enable", topic, broker); value && lower(trim(*value)) == "true") {
        return "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.";
    }
    return std::nullopt;
}

std::optional<std::string> check_broker_configs(const ConfigMap& changed) {
    std::vector<std::string_view> fixed;
    for (const auto& [name, value] : changed) {
        const auto* key = find_config(ConfigScope::broker, name);
        if (key && !key->dynamic) fixed.push_back(name);
    }
    if (!fixed.empty()) return fmt::format("Cannot update these configs dynamically: [{}]", fmt::join(fixed, ", "));
    for (const auto& [name, value] : changed) {
        const auto* key = find_config(ConfigScope::broker, name);
        if (!key) continue;
        if (auto objection = check_config(*key, value)) return objection;
    }
    return std::nullopt;
}

std::optional<std::string> broker_config(std::string_view name, const BrokerConfigs& broker) {
    for (const auto* map : {&broker.dynamic_broker, &broker.dynamic_default, &broker.static_broker}) {
        if (const auto* value = look_up(*map, name)) return *value;
    }
    const auto* key = find_config(ConfigScope::broker, name);
    if (!key || !key->default_value) return std::nullopt;
    return std::string(*key->default_value);
}

std::optional<std::string> topic_config(std::string_view name, const ConfigMap& topic, const BrokerConfigs& broker) {
    if (const auto* value = look_up(topic, name)) return *value;
    for (const auto& source : sources_of(name)) {
        auto value = broker_config(source.name, broker);
        if (!value) continue;
        if (source.factor != 1) {
            auto number = to_integer(ConfigType::int64, *value);
            if (number) value = fmt::format("{}", *number < 0 ? -1 : *number * source.factor);
        }
        // Kafka reads any negative retention as none.
        if (name == "retention.ms" && value->starts_with('-')) value = "-1";
        return value;
    }
    const auto* key = find_config(ConfigScope::topic, name);
    if (!key || !key->default_value) return std::nullopt;
    return std::string(*key->default_value);
}

std::vector<ConfigEntry> describe_topic(const ConfigMap& topic, const BrokerConfigs& broker) {
    std::vector<ConfigEntry> out;
    for (const auto& key : config_keys(ConfigScope::topic)) {
        auto& entry = out.emplace_back();
        entry.key = &key;
        entry.value = shown(key, topic_config(key.name, topic, broker));
        if (look_up(topic, key.name)) entry.synonyms.push_back({std::string(key.name), entry.value, ConfigSource::topic});
        if (auto sources = sources_of(key.name); !sources.empty()) {
            auto more = synonyms_of(sources.front().name, broker);
            std::ranges::move(more, std::back_inserter(entry.synonyms));
        }
        if (!entry.synonyms.empty()) entry.source = entry.synonyms.front().source;
    }
    return out;
}

std::vector<ConfigEntry> describe_broker(const BrokerConfigs& broker) {
    std::vector<ConfigEntry> out;
    for (const auto& key : config_keys(ConfigScope::broker)) {
        auto& entry = out.emplace_back();
        entry.key = &key;
        entry.value = shown(key, broker_config(key.name, broker));
        entry.read_only = !key.dynamic;
        entry.synonyms = synonyms_of(key.name, broker);
        if (!entry.synonyms.empty()) entry.source = entry.synonyms.front().source;
    }
    return out;
}

std::vector<ConfigEntry> describe_broker_default(const BrokerConfigs& broker) {
    std::vector<ConfigEntry> out;
    for (const auto& [name, value] : broker.dynamic_default) {
        const auto* key = find_config(ConfigScope::broker, name);
        if (!key) continue;
        auto& entry = out.emplace_back();
        entry.key = key;
        entry.value = shown(*key, value);
        entry.source = ConfigSource::dynamic_default_broker;
        entry.read_only = !key->dynamic;
        entry.synonyms.push_back({name, entry.value, entry.source});
    }
    return out;
}

LogOptions log_options(const ConfigMap& topic, const BrokerConfigs& broker) {
    auto number = [&](std::string_view name) { return integer(name, topic, broker); };
    auto text = [&](std::string_view name) { return std::string(trim(topic_config(name, topic, broker).value_or(""))); };
    LogOptions options;
    options.segment_bytes = uint32_t(number("segment.bytes"));
    options.segment_ms = number("segment.ms");
    options.segment_jitter_ms = number("segment.jitter.ms");
    options.segment_index_bytes = uint32_t(number("segment.index.bytes"));
    options.index_interval_bytes = uint32_t(number("index.interval.bytes"));
    options.max_message_bytes = uint32_t(number("max.message.bytes"));
    options.log_append_time = text("message.timestamp.type") == "LogAppendTime";
    options.timestamp_before_max_ms = number("message.timestamp.before.max.ms");
    options.timestamp_after_max_ms = number("message.timestamp.after.max.ms");
    options.file_delete_delay_ms = number("file.delete.delay.ms");
    options.keys_required = std::ranges::count(split_list(text("cleanup.policy")), "compact") > 0;
    // In the order of the Codec enumeration.
    constexpr std::array<std::string_view, 5> codecs{"uncompressed", "gzip", "snappy", "lz4", "zstd"};
    auto type = text("compression.type");
    if (auto at = std::ranges::find(codecs, type); at != codecs.end()) {
        auto codec = Codec(at - codecs.begin());
        options.compression = codec;
        if (codec != Codec::none && codec != Codec::snappy) {
            options.compression_level = int(number(fmt::format("compression.{}.level", type)));
        }
    }
    return options;
}

}  // namespace rafka::metadata
