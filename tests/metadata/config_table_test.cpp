#include "metadata/config_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rafka;
using namespace rafka::metadata;

namespace {

const ConfigKey& topic_key(std::string_view name) {
    const auto* key = find_config(ConfigScope::topic, name);
    REQUIRE(key);
    return *key;
}

std::string objection(std::string_view name, std::string_view value) { return check_config(topic_key(name), value).value_or(""); }

struct Layers {
    ConfigMap dynamic_broker, dynamic_default, fixed, topic;

    BrokerConfigs broker() const { return {dynamic_broker, dynamic_default, fixed}; }
    // "VALUE SOURCE | SYNONYM=VALUE@SOURCE ...", with Kafka's source ids.
    std::string show(std::string_view name) const {
        for (const auto& entry : describe_topic(topic, broker())) {
            if (entry.key->name != name) continue;
            std::string out = entry.value.value_or("null") + " " + std::to_string(int(entry.source)) + " |";
            for (const auto& synonym : entry.synonyms) {
                out += " " + synonym.name + "=" + synonym.value.value_or("null") + "@" + std::to_string(int(synonym.source));
            }
            return out;
        }
        return "no such key";
    }
};

}  // namespace

TEST_CASE("every default passes its own check") {
    for (auto scope : {ConfigScope::topic, ConfigScope::broker}) {
        for (const auto& key : config_keys(scope)) {
            CAPTURE(key.name);
            if (key.default_value) CHECK(check_config(key, *key.default_value).value_or("") == "");
            CHECK(key.documentation.size() > 10);
            CHECK(find_config(scope, key.name) == &key);
        }
    }
    CHECK(find_config(ConfigScope::topic, "segment.byte") == nullptr);
}

TEST_CASE("no key is both known and ignored") {
    for (auto name : ignored_broker_keys()) CHECK(find_config(ConfigScope::broker, name) == nullptr);
    CHECK(is_ignored_broker_key("num.io.threads"));
    CHECK(is_ignored_broker_key("listener.name.internal.ssl.keystore.location"));
    CHECK_FALSE(is_ignored_broker_key("num.io.thread"));
}

TEST_CASE("a value that may not be is refused in Kafka's words") {
    CHECK(objection("retention.ms", "x") == "Invalid value x for configuration retention.ms: Not a number of type LONG");
    CHECK(objection("retention.ms", "-2") == "Invalid value -2 for configuration retention.ms: Value must be at least -1");
    CHECK(objection("segment.bytes", "5000000000") ==
          "Invalid value 5000000000 for configuration segment.bytes: Not a number of type INT");
    CHECK(objection("segment.bytes", "1024") ==
          "Invalid value 1024 for configuration segment.bytes: Value must be at least 1048576");
    CHECK(objection("min.cleanable.dirty.ratio", "2") ==
          "Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1");
    CHECK(objection("compression.type", "LZ4") == "Invalid value LZ4 for configuration compression.type: "
          "String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer");
    CHECK(objection("compression.gzip.level", "0") == "Invalid value 0 for configuration compression.gzip.level: "
          "Value must be between 1 and 9 or equal to -1");
    CHECK(objection("cleanup.policy", "delete,purge") ==
          "Invalid value purge for configuration cleanup.policy: String must be one of: compact, delete");
    CHECK(objection("cleanup.policy", "delete,delete") == "");
    CHECK(objection("preallocate", "yes") ==
          "Invalid value yes for configuration preallocate: Expected value to be either true or false");
    CHECK(objection("leader.replication.throttled.replicas", "0:1,a:b").starts_with("Invalid value [0:1, a:b] for configuration "));
    CHECK(objection("leader.replication.throttled.replicas", "*") == "");
    CHECK(objection("cleanup.policy", " compact , delete ") == "");
    CHECK(objection("retention.ms", " +5 ") == "");
    CHECK(objection("preallocate", "TRUE") == "");
    CHECK(canonical(topic_key("cleanup.policy"), " compact , delete ") == "compact,delete");
    CHECK(canonical(topic_key("cleanup.policy"), "delete,compact,delete") == "delete,compact");
    CHECK(canonical(topic_key("leader.replication.throttled.replicas"), "0:1,0:1") == "0:1,0:1");
    CHECK(canonical(topic_key("min.cleanable.dirty.ratio"), "1") == "1.0");
}

TEST_CASE("a topic's config comes from the nearest layer") {
    Layers layers;
    CHECK(layers.show("max.message.bytes") == "1048588 5 | message.max.bytes=1048588@5");
    layers.fixed["message.max.bytes"] = "2000";
    layers.dynamic_default["message.max.bytes"] = "3000";
    layers.dynamic_broker["message.max.bytes"] = "4000";
    layers.topic["max.message.bytes"] = "5000";
    CHECK(layers.show("max.message.bytes") ==
          "5000 1 | max.message.bytes=5000@1 message.max.bytes=4000@2 message.max.bytes=3000@3 message.max.bytes=2000@4 "
          "message.max.bytes=1048588@5");
    layers.topic.clear();
    CHECK(layers.show("max.message.bytes").starts_with("4000 2 |"));
    CHECK(log_options(layers.topic, layers.broker()).max_message_bytes == 4000);
}

TEST_CASE("synonyms in other units are converted, and listed as Kafka lists them") {
    Layers layers;
    CHECK(layers.show("retention.ms") == "604800000 5 |");
    layers.fixed["log.retention.hours"] = "1";
    CHECK(layers.show("retention.ms") == "3600000 5 |");
    layers.fixed["log.retention.minutes"] = "2";
    CHECK(layers.show("retention.ms") == "120000 5 |");
    layers.dynamic_default["log.retention.ms"] = "7";
    CHECK(layers.show("retention.ms") ==
          "7 3 | log.retention.ms=7@3 log.retention.minutes=2@4 log.retention.hours=1@4 log.retention.hours=168@5");
    layers.dynamic_default["log.retention.ms"] = "-5";
    CHECK(layers.show("retention.ms").starts_with("-1 3 |"));
    CHECK(layers.show("flush.ms") == "9223372036854775807 5 |");
}

TEST_CASE("a topic's configs are checked together") {
    Layers layers;
    layers.topic = {{"min.compaction.lag.ms", "100"}, {"max.compaction.lag.ms", "50"}};
    CHECK(check_topic_configs(layers.topic, layers.broker()).value_or("") ==
          "conflict topic config setting min.compaction.lag.ms (100) > max.compaction.lag.ms (50)");
    layers.topic = {{"retension.ms", "100"}};
    CHECK(check_topic_configs(layers.topic, layers.broker()).value_or("") == "Unknown topic config name: retension.ms");
    layers.topic = {{"remote.storage.enable", "true"}};
    CHECK(check_topic_configs(layers.topic, layers.broker()).has_value());
    layers.topic = {{"cleanup.policy", "compact"}, {"compression.type", "zstd"}, {"compression.zstd.level", "5"}};
    CHECK_FALSE(check_topic_configs(layers.topic, layers.broker()).has_value());
    auto options = log_options(layers.topic, layers.broker());
    CHECK(options.keys_required);
    CHECK(options.compression == Codec::zstd);
    CHECK(options.compression_level == 5);
}

TEST_CASE("AlterConfigs of a broker takes dynamic keys only") {
    CHECK(check_broker_configs({{"node.id", "2"}, {"message.max.bytes", "5"}}).value_or("") ==
          "Cannot update these configs dynamically: [node.id]");
    CHECK(check_broker_configs({{"message.max.bytes", "-5"}}).value_or("").starts_with("Invalid value -5"));
    CHECK_FALSE(check_broker_configs({{"message.max.bytes", "5"}, {"some.other.key", "x"}}).has_value());
}

TEST_CASE("a misspelled key finds the one that was meant") {
    CHECK(nearest_broker_key("log.retension.ms") == "log.retention.ms");
    CHECK(nearest_broker_key("listener") == "listeners");
    CHECK(nearest_broker_key("num.io.treads") == "num.io.threads");
    CHECK(nearest_broker_key("completely.different") == "");
}

TEST_CASE("units follow from names") {
    CHECK(find_config(ConfigScope::broker, "log.retention.ms")->unit() == ConfigUnit::milliseconds);
    CHECK(find_config(ConfigScope::broker, "log.segment.bytes")->unit() == ConfigUnit::bytes);
    CHECK(find_config(ConfigScope::broker, "log.roll.hours")->unit() == ConfigUnit::hours);
    CHECK(find_config(ConfigScope::broker, "num.partitions")->unit() == ConfigUnit::none);
}
