#include "broker/config.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rafka;
using namespace rafka::broker;

namespace {

ConfigInputs with(std::string text) {
    ConfigInputs inputs;
    inputs.default_directory = "data";
    inputs.files.emplace_back("rafka.toml", std::move(text));
    return inputs;
}

Config accepted(const ConfigInputs& inputs) {
    auto config = read_config(inputs);
    if (!config) FAIL(config.error().front());
    return *config;
}

// The objections, one a line.
std::string refused(const ConfigInputs& inputs) {
    auto config = read_config(inputs);
    if (config) return "accepted";
    std::string out;
    for (const auto& error : config.error()) out += (out.empty() ? "" : "\n") + error;
    return out;
}

std::string show(const std::vector<metadata::Endpoint>& endpoints) {
    std::string out;
    for (const auto& endpoint : endpoints) out += (out.empty() ? "" : ",") + to_text(endpoint);
    return out;
}

}  // namespace

TEST_CASE("without any input the broker serves on loopback") {
    ConfigInputs inputs;
    inputs.default_directory = "/somewhere/rafka";
    auto config = accepted(inputs);
    CHECK(config.node_id == 1);
    CHECK(config.log_directory == "/somewhere/rafka");
    CHECK(show(config.listeners) == "PLAINTEXT://127.0.0.1:9092");
    CHECK(to_text(config.controller) == "CONTROLLER://localhost:9093");
    CHECK(config.values.empty());
    CHECK(config.notes.empty());
}

TEST_CASE("keys may be dotted, quoted or in tables, with units and lists") {
    auto config = accepted(with(R"(
log.dirs = ["/data"]
log.retention.ms = "7d"
log.segment.bytes = "1GiB"
"max.connections" = 200
num.partitions = 3
auto.create.topics.enable = false
listeners = ["PLAINTEXT://:9092", "INTERNAL://[::1]:0", "CONTROLLER://localhost:9095"]
listener.security.protocol.map = "INTERNAL:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
[rafka]
io.backend = "epoll"
loops = 2
)"));
    CHECK(config.log_directory == "/data");
    CHECK(config.values.at("log.retention.ms") == "604800000");
    CHECK(config.values.at("log.segment.bytes") == "1073741824" );
    CHECK(config.connections_max == 200);
    CHECK(config.num_partitions == 3);
    CHECK_FALSE(config.auto_create_topics);
    CHECK(show(config.listeners) == "PLAINTEXT://:9092,INTERNAL://[::1]:0");
    CHECK(to_text(config.controller) == "CONTROLLER://localhost:9095");
    CHECK(config.io_backend == IoBackend::epoll);
    CHECK(config.loops == 2);
}

TEST_CASE("an unknown key is refused where it stands") {
    CHECK(refused(with("num.partitions = 1\nlog.retension.ms = 5\n")) ==
          "rafka.toml:2:1: error: unknown key \"log.retension.ms\"; did you mean \"log.retention.ms\"?");
    CHECK(refused(with("[rafka]\nlops = 5\n")) == "rafka.toml:2:1: error: unknown key \"rafka.lops\"; did you mean \"rafka.loops\"?");
    CHECK(refused(with("zzz = 5\n")) == "rafka.toml:1:1: error: unknown key \"zzz\"");
    CHECK(refused(with("retention.ms = 5\n")) ==
          "rafka.toml:1:1: error: \"retention.ms\" is a topic's key; did you mean \"log.retention.ms\"?");
    CHECK(refused(with("zookeeper.connect = \"x\"\n")).find("no ZooKeeper") != std::string::npos);
}

TEST_CASE("all objections are told at once, each with its place") {
    CHECK(refused(with("num.partitions = 0\nnode.id = \"one\"\n")) ==
          "rafka.toml:1:1: error: Invalid value 0 for configuration num.partitions: Value must be at least 1\n"
          "rafka.toml:2:1: error: Invalid value one for configuration node.id: Not a number of type INT");
    CHECK(refused(with("num.partitions = \n")).starts_with("rafka.toml:1:"));
    CHECK(refused(with("num.partitions = 1\n\"num.partitions\" = 2\n")) != "accepted");
    CHECK(refused(with("num.partitions = 1979-05-27\n")) ==
          "rafka.toml:1:1: error: \"num.partitions\" cannot be a date or a time");
}

TEST_CASE("keys of Kafka's that do nothing are named in one line") {
    auto config = accepted(with("num.io.threads = 8\nnum.network.threads = 3\n"));
    REQUIRE(config.notes.size() == 1);
    CHECK(config.notes[0] == "keys of Kafka's that do nothing here: num.io.threads, num.network.threads");
    CHECK(config.values.empty());
}

TEST_CASE("later layers win: files, environment, command line") {
    auto inputs = with("num.partitions = 1\nnode.id = 1\nfetch.max.bytes = 2000\n");
    inputs.files.emplace_back("more.toml", "num.partitions = 2\nnode.id = 2\n");
    inputs.environment = {{"RAFKA_NUM_PARTITIONS", "3"}, {"PATH", "/bin"}, {"RAFKA_LOOPS", "4"}, {"RAFKA_HOME", "/opt"}};
    auto config = accepted(inputs);
    CHECK(config.num_partitions == 3);
    CHECK(config.node_id == 2);
    CHECK(config.fetch_bytes_max == 2000);
    CHECK(config.loops == 4);
    REQUIRE(config.notes.size() == 1);
    CHECK(config.notes[0] == "environment variable sets no key: RAFKA_HOME");
    inputs.settings = {{"-D", "num.partitions", "4"}};
    CHECK(accepted(inputs).num_partitions == 4);
    inputs.settings = {{"-D", "num.partition", "4"}};
    CHECK(refused(inputs) == "-D: error: unknown key \"num.partition\"; did you mean \"num.partitions\"?");
}

TEST_CASE("no two keys share an environment variable") {
    std::vector<std::string> names;
    for (const auto& key : metadata::config_keys(metadata::ConfigScope::broker)) names.push_back(environment_name(key.name));
    for (auto key : metadata::ignored_broker_keys()) names.push_back(environment_name(key));
    std::ranges::sort(names);
    CHECK(std::ranges::adjacent_find(names) == names.end());
    CHECK(environment_name("log.retention.ms") == "RAFKA_LOG_RETENTION_MS");
    CHECK(environment_name("rafka.io.backend") == "RAFKA_IO_BACKEND");
}

TEST_CASE("quantities") {
    using metadata::ConfigUnit;
    CHECK(quantity(ConfigUnit::milliseconds, "90") == 90);
    CHECK(quantity(ConfigUnit::milliseconds, "90 s") == 90'000);
    CHECK(quantity(ConfigUnit::milliseconds, "-1") == -1);
    CHECK(quantity(ConfigUnit::hours, "7d") == 168);
    CHECK_FALSE(quantity(ConfigUnit::hours, "90min"));
    CHECK(quantity(ConfigUnit::bytes, "1GiB") == 1 << 30);
    CHECK(quantity(ConfigUnit::bytes, "1 kB") == 1000);
    CHECK_FALSE(quantity(ConfigUnit::bytes, "1d"));
    CHECK_FALSE(quantity(ConfigUnit::milliseconds, "99999999999999999999d"));
    CHECK_FALSE(quantity(ConfigUnit::milliseconds, "9223372036854775807d"));
    CHECK_FALSE(quantity(ConfigUnit::milliseconds, "d"));
}

TEST_CASE("endpoints") {
    CHECK(to_text(*parse_endpoint("plaintext://host:1")) == "PLAINTEXT://host:1");
    CHECK(to_text(*parse_endpoint("[::]:9092")) == "PLAINTEXT://[::]:9092");
    CHECK(to_text(*parse_endpoint("9092")) == "PLAINTEXT://:9092");
    CHECK_FALSE(parse_endpoint("host"));
    CHECK_FALSE(parse_endpoint("host:99999"));
    CHECK_FALSE(parse_endpoint("::1:9092"));
    CHECK_FALSE(parse_endpoint("://host:1"));
}

TEST_CASE("clients are told an address they can connect to") {
    auto config = accepted(with("listeners = \"PLAINTEXT://0.0.0.0:0,B://127.0.0.1:5\"\n"
                                "listener.security.protocol.map = \"B:PLAINTEXT\"\n"));
    CHECK(show(advertise(config, {4000, 5}, "box")) == "PLAINTEXT://box:4000,B://127.0.0.1:5");
    config = accepted(with("listeners = \"PLAINTEXT://:9092\"\nadvertised.listeners = \"PLAINTEXT://broker.example:0\"\n"));
    CHECK(show(advertise(config, {9092}, "box")) == "PLAINTEXT://broker.example:9092");
    CHECK(refused(with("advertised.listeners = \"PLAINTEXT://0.0.0.0:9092\"\n")).find("clients cannot connect") != std::string::npos);
    CHECK(refused(with("advertised.listeners = \"OTHER://h:9092\"\n")).find("names OTHER") != std::string::npos);
}

TEST_CASE("what is not there is refused, not ignored") {
    CHECK(refused(with("listeners = \"SSL://:9093\"\n")).find("PLAINTEXT is the only protocol") != std::string::npos);
    CHECK(refused(with("listeners = \"FOO://:9093\"\n")).find("no protocol for listener FOO") != std::string::npos);
    CHECK(refused(with("authorizer.class.name = \"org.x.Y\"\n")).find("access control") != std::string::npos);
    CHECK(refused(with("process.roles = \"broker\"\n")).find("leaves out controller") != std::string::npos);
    CHECK(refused(with("log.dirs = \"/a,/b\"\n")).find("one data directory") != std::string::npos);
    CHECK(refused(with("broker.id = 1\nnode.id = 2\n")).find("another number") != std::string::npos);
    CHECK(accepted(with("broker.id = 7\n")).node_id == 7);
}
