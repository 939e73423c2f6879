#pragma once

// The broker's own configuration: what config files, environment and command line say, checked against the table
// (metadata/config_table.hpp) and turned into numbers. Pure: whoever starts the broker reads the files. Dynamic settings
// are not here; they live in the metadata log and lie above `values`.

#include "metadata/config_table.hpp"
#include "metadata/image.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rafka::broker {

enum class IoBackend : uint8_t { automatic, uring, epoll };

struct Config {
    int32_t node_id = 1;
    std::optional<std::string> rack;
    std::optional<std::string> cluster_id;
    std::string log_directory;

    std::vector<metadata::Endpoint> listeners;   // To open. Host empty: all interfaces; port 0: a free one.
    std::vector<metadata::Endpoint> advertised;  // As configured; empty: derived by advertise().
    metadata::Endpoint controller;               // Written to the metadata log, not opened.

    int32_t num_partitions = 1;
    int16_t default_replication_factor = 1;
    bool auto_create_topics = true;
    bool delete_topics = true;
    uint32_t fetch_bytes_max = 55u << 20;
    uint32_t request_bytes_max = 100u << 20;
    int64_t connection_idle_ms = 600'000;        // Below zero: never closed.
    uint32_t connections_max = 2147483647;
    uint32_t fetch_sessions_max = 1000;
    int64_t producer_id_expiration_ms = 86'400'000;
    int64_t checkpoint_interval_ms = 60'000;

    IoBackend io_backend = IoBackend::automatic;
    uint32_t loops = 0;                          // 0: by the number of processors.
    uint64_t chunk_memory_max = 64ull << 20;
    bool direct = true;
    std::string log_level = "info";

    metadata::ConfigMap values;                  // What was set, by its broker key, as DescribeConfigs shows it.
    std::vector<std::string> notes;              // Lines for the log: what was accepted and does nothing.

    Config() {}
};

// Where values come from, weakest first.
struct ConfigInputs {
    std::string default_directory;
    std::vector<std::pair<std::string, std::string>> files;         // Path and text (TOML); a later one wins.
    std::vector<std::pair<std::string, std::string>> environment;   // Only RAFKA_* are looked at.
    struct Setting {
        std::string origin;                                         // "-D", "--listen"
        std::string key;
        std::string value;
    };
    std::vector<Setting> settings;                                  // Of the command line.
};

// All objections, each "PLACE: error: SENTENCE" with PLACE being FILE:LINE:COLUMN, a variable or an option.
using ConfigErrors = std::vector<std::string>;
tl::expected<Config, ConfigErrors> read_config(const ConfigInputs& inputs);

// The variable that sets a key: RAFKA_ and the key with '.' as '_', '_' as '__', '-' as '___'. A leading "rafka." is left out.
std::string environment_name(std::string_view key);

// "7d", "90 s", "1GiB" as a number in the key's unit; plain numbers stay. nullopt: neither.
std::optional<int64_t> quantity(metadata::ConfigUnit unit, std::string_view text);

// "NAME://HOST:PORT", "HOST:PORT", ":PORT" or "PORT"; without a name it is PLAINTEXT.
std::optional<metadata::Endpoint> parse_endpoint(std::string_view text);
std::string to_text(const metadata::Endpoint& endpoint);

// What clients are told, once the listeners are bound to `ports`: the configured addresses, or the bound ones with the
// host's name in place of a wildcard.
std::vector<metadata::Endpoint> advertise(const Config& config, const std::vector<uint16_t>& ports, std::string_view hostname);

}  // namespace rafka::broker
