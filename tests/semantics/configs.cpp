// DescribeConfigs, AlterConfigs, IncrementalAlterConfigs.

#include "semantics/scenarios.hpp"
#include "semantics/script.hpp"

namespace rafka::semantics {

namespace {

constexpr int8_t unknown_type = 0, of_topic = 2, of_broker = 4, of_logger = 8;

using Described = DescribeConfigsRequest::Resource;

void show(Script& s, std::string_view label, int8_t type, std::string_view name, std::initializer_list<std::string_view> keys) {
    s.settle();
    DescribeConfigsRequest request{.resources = s.list<Described>({{type, name, s.list(keys)}}), .include_synonyms = true};
    s.ask(label, request, 4);
}

}  // namespace

void describe_configs(Script& s) {
    s.topic("describe_configs-a", 1, {{"retention.ms", "1000"}, {"cleanup.policy", "compact"}});
    auto ask = [&](std::string_view label, std::initializer_list<Described> resources, int16_t version = 4, bool synonyms = false, bool documentation = false) {
        DescribeConfigsRequest request{.resources = s.list(resources), .include_synonyms = synonyms, .include_documentation = documentation};
        s.ask(label, request, version);
    };
    for (int16_t version : {1, 2, 3, 4}) ask("topic", {{of_topic, "describe_configs-a", std::nullopt}}, version);
    ask("topic with synonyms", {{of_topic, "describe_configs-a", std::nullopt}}, 4, true);
    ask("topic with documentation", {{of_topic, "describe_configs-a", std::nullopt}}, 4, false, true);
    ask("topic with both", {{of_topic, "describe_configs-a", std::nullopt}}, 1, true, true);
    ask("some keys", {{of_topic, "describe_configs-a", s.list<std::string_view>({"retention.ms", "segment.bytes", "no.such.key", "retention.ms"})}}, 4, true);
    ask("no keys", {{of_topic, "describe_configs-a", s.list<std::string_view>({})}});
    ask("no keys", {{of_topic, "describe_configs-a", s.list<std::string_view>({})}}, 1);
    ask("unknown topic", {{of_topic, "describe_configs-none", std::nullopt}});
    ask("bad topic", {{of_topic, "describe configs", std::nullopt}});
    ask("empty topic", {{of_topic, "", std::nullopt}});
    ask("broker", {{of_broker, "1", std::nullopt}});
    ask("broker, oldest", {{of_broker, "1", std::nullopt}}, 1);
    ask("broker with synonyms", {{of_broker, "1", std::nullopt}}, 4, true, true);
    ask("broker, some keys", {{of_broker, "1", s.list<std::string_view>({"log.retention.ms", "log.retention.hours", "num.partitions", "no.such.key"})}}, 4, true);
    ask("all brokers", {{of_broker, "", std::nullopt}});
    ask("unknown broker", {{of_broker, "9", std::nullopt}});
    ask("bad broker", {{of_broker, "x", std::nullopt}});
    ask("logger of an unknown broker", {{of_logger, "9", std::nullopt}});
    ask("bad logger", {{of_logger, "x", std::nullopt}});
    ask("unknown type", {{unknown_type, "x", std::nullopt}});
    ask("unknown type", {{3, "x", std::nullopt}});
    ask("unknown type", {{-1, "x", std::nullopt}});
    ask("nothing", {});
    ask("several", {{of_topic, "describe_configs-none", std::nullopt}, {of_topic, "describe_configs-a", s.list<std::string_view>({"retention.ms"})}, {of_broker, "1", s.list<std::string_view>({"num.partitions"})}});
    ask("one twice", {{of_topic, "describe_configs-a", s.list<std::string_view>({"retention.ms"})}, {of_topic, "describe_configs-a", s.list<std::string_view>({"segment.ms"})}});
}

void alter_configs(Script& s) {
    using Resource = IncrementalAlterConfigsRequest::Resource;
    using Change = IncrementalAlterConfigsRequest::Config;
    constexpr int8_t set = 0, remove = 1, append = 2, subtract = 3;
    constexpr std::string_view topic = "alter_configs-a";
    s.topic(topic);
    auto alter = [&](std::string_view label, std::initializer_list<Change> changes, bool validate_only = false) {
        IncrementalAlterConfigsRequest request{.resources = s.list<Resource>({{of_topic, topic, s.list(changes)}}), .validate_only = validate_only};
        s.ask(label, request, 1);
    };
    auto resources = [&](std::string_view label, std::initializer_list<Resource> list, int16_t version = 1) {
        IncrementalAlterConfigsRequest request{.resources = s.list(list)};
        s.ask(label, request, version);
    };
    auto look = [&](std::string_view label) { show(s, label, of_topic, topic, {"retention.ms", "cleanup.policy", "segment.ms", "compression.type"}); };

    alter("set, validated only", {{"retention.ms", set, "1000"}}, true);
    look("validated only: as before");
    alter("set", {{"retention.ms", set, "1000"}, {"segment.ms", set, "2000"}});
    look("set: there");
    alter("set again, same", {{"retention.ms", set, "1000"}});
    alter("delete", {{"retention.ms", remove, std::nullopt}});
    look("deleted");
    alter("delete what is not set", {{"retention.ms", remove, std::nullopt}});
    alter("delete with a value", {{"segment.ms", remove, "5"}});
    alter("append", {{"cleanup.policy", append, "compact"}});
    look("appended");
    alter("append again", {{"cleanup.policy", append, "compact"}});
    look("appended again");
    alter("subtract", {{"cleanup.policy", subtract, "delete"}});
    look("subtracted");
    alter("subtract what is not there", {{"cleanup.policy", subtract, "delete"}});
    alter("subtract the last", {{"cleanup.policy", subtract, "compact"}});
    look("subtracted the last");
    alter("append two", {{"cleanup.policy", append, "compact,delete"}});
    look("appended two");
    alter("append to what is no list", {{"retention.ms", append, "1"}});
    alter("subtract from what is no list", {{"retention.ms", subtract, "1"}});
    alter("append a bad one", {{"cleanup.policy", append, "none"}});
    alter("set to null", {{"retention.ms", set, std::nullopt}});
    alter("append null", {{"cleanup.policy", append, std::nullopt}});
    alter("bad value", {{"retention.ms", set, "abc"}});
    alter("bad value beside a good one", {{"segment.ms", set, "77"}, {"retention.ms", set, "-2"}});
    look("bad value: as before");
    alter("unknown key", {{"no.such.key", set, "1"}});
    alter("delete an unknown key", {{"no.such.key", remove, std::nullopt}});
    alter("empty key", {{"", set, "1"}});
    alter("key twice", {{"retention.ms", set, "1"}, {"retention.ms", set, "2"}});
    alter("key twice, two operations", {{"cleanup.policy", set, "compact"}, {"cleanup.policy", append, "delete"}});
    alter("nothing", {});
    resources("unknown topic", {{of_topic, "alter_configs-none", s.list<Change>({{"retention.ms", set, "1"}})}});
    resources("unknown topic", {{of_topic, "alter_configs-none", s.list<Change>({{"retention.ms", set, "1"}})}}, 0);
    resources("unknown topic without changes", {{of_topic, "alter_configs-none", {}}});
    resources("bad topic", {{of_topic, "alter configs", s.list<Change>({{"retention.ms", set, "1"}})}});
    resources("empty topic", {{of_topic, "", s.list<Change>({{"retention.ms", set, "1"}})}});
    resources("unknown type", {{unknown_type, "x", s.list<Change>({{"retention.ms", set, "1"}})}});
    resources("unknown type", {{3, "x", s.list<Change>({{"retention.ms", set, "1"}})}});
    resources("resource twice", {{of_topic, topic, s.list<Change>({{"retention.ms", set, "1"}})}, {of_topic, topic, s.list<Change>({{"segment.ms", set, "1"}})}});
    resources("good and bad", {{of_topic, topic, s.list<Change>({{"compression.type", set, "lz4"}})}, {of_topic, "alter_configs-none", s.list<Change>({{"retention.ms", set, "1"}})}});
    look("good and bad: good");
    resources("no resource", {});

    resources("broker", {{of_broker, "1", s.list<Change>({{"log.retention.ms", set, "123456"}})}});
    show(s, "broker: there", of_broker, "1", {"log.retention.ms", "log.retention.hours"});
    show(s, "broker: what a topic gets", of_topic, topic, {"retention.ms"});
    resources("all brokers", {{of_broker, "", s.list<Change>({{"log.retention.ms", set, "654321"}, {"log.segment.bytes", set, "2000000"}})}});
    show(s, "all brokers: there", of_broker, "", {"log.retention.ms", "log.segment.bytes"});
    show(s, "all brokers: one", of_broker, "1", {"log.retention.ms", "log.segment.bytes"});
    show(s, "all brokers: what a topic gets", of_topic, topic, {"retention.ms", "segment.bytes"});
    resources("broker: deleted", {{of_broker, "1", s.list<Change>({{"log.retention.ms", remove, std::nullopt}})}});
    show(s, "broker: what a topic gets then", of_topic, topic, {"retention.ms"});
    resources("all brokers: deleted", {{of_broker, "", s.list<Change>({{"log.retention.ms", remove, std::nullopt}, {"log.segment.bytes", remove, std::nullopt}})}});
    resources("broker: not dynamic", {{of_broker, "1", s.list<Change>({{"num.partitions", set, "3"}})}});
    resources("all brokers: not dynamic", {{of_broker, "", s.list<Change>({{"log.dirs", set, "x"}})}});
    resources("broker: bad value", {{of_broker, "1", s.list<Change>({{"log.retention.ms", set, "abc"}})}});
    resources("broker: unknown key", {{of_broker, "1", s.list<Change>({{"no.such.key", set, "1"}})}});
    resources("unknown broker", {{of_broker, "9", s.list<Change>({{"log.retention.ms", set, "1"}})}});
    resources("bad broker", {{of_broker, "x", s.list<Change>({{"log.retention.ms", set, "1"}})}});

    // The old way: what is not named goes back to its default.
    using Whole = AlterConfigsRequest::Resource;
    using Value = AlterConfigsRequest::Config;
    auto replace = [&](std::string_view label, std::initializer_list<Whole> list, int16_t version = 2, bool validate_only = false) {
        AlterConfigsRequest request{.resources = s.list(list), .validate_only = validate_only};
        s.ask(label, request, version);
    };
    replace("replaced", {{of_topic, topic, s.list<Value>({{"retention.ms", "5000"}})}});
    look("replaced: there");
    replace("replaced, oldest", {{of_topic, topic, s.list<Value>({{"segment.ms", "6000"}})}}, 0);
    look("replaced, oldest: there");
    replace("replaced, validated only", {{of_topic, topic, {}}}, 2, true);
    look("replaced, validated only: as before");
    replace("replaced by nothing", {{of_topic, topic, {}}});
    look("replaced by nothing: defaults");
    replace("replaced, bad value", {{of_topic, topic, s.list<Value>({{"retention.ms", "x"}})}});
    replace("replaced, unknown key", {{of_topic, topic, s.list<Value>({{"no.such.key", "x"}})}});
    replace("replaced, null value", {{of_topic, topic, s.list<Value>({{"retention.ms", std::nullopt}})}});
    replace("replaced, key twice", {{of_topic, topic, s.list<Value>({{"retention.ms", "1"}, {"retention.ms", "2"}})}});
    replace("replaced, unknown topic", {{of_topic, "alter_configs-none", s.list<Value>({{"retention.ms", "1"}})}});
    replace("replaced, unknown type", {{unknown_type, "x", {}}});
    replace("replaced, unknown broker", {{of_broker, "9", s.list<Value>({{"log.retention.ms", "1"}})}});
    s.differs("Kafka never answers; rafka refuses at once");
    replace("replaced, resource twice", {{of_topic, topic, s.list<Value>({{"retention.ms", "1"}})}, {of_topic, topic, {}}});
}

}  // namespace rafka::semantics
