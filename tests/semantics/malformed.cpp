// What is no request: damaged bodies, unknown APIs and versions. Kafka closes the connection.

#include "semantics/scenarios.hpp"
#include "semantics/script.hpp"

#include <cstring>

namespace rafka::semantics {

namespace {

template <class M>
void cut(Script& s, const M& request, int16_t version) {
    auto whole = s.body(request, version);
    auto name = std::string(find_api(M::schema.key)->name) + ' ' + std::to_string(version);
    for (size_t size : {size_t(0), size_t(1), whole.size() / 2, whole.size() - 1}) {
        if (size < whole.size()) s.raw(name + ", cut to " + std::to_string(size), s.frame(M::schema.key, version, Bytes(whole).first(size)));
    }
    auto longer = whole;
    longer.push_back(std::byte{0});
    s.raw(name + ", a byte too long", s.frame(M::schema.key, version, longer));
}

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
    std::vector<std::byte> bytes;
    for (int value : values) bytes.push_back(std::byte(value));
    return bytes;
}

}  // namespace

void malformed(Script& s) {
    s.topic("malformed-a");
    MetadataRequest metadata{.topics = s.list<MetadataRequest::Topic>({{.name = "malformed-a"}})};
    cut(s, metadata, 1);
    cut(s, metadata, 12);
    ListOffsetsRequest offsets{.topics = s.list<ListOffsetsRequest::Topic>({{"malformed-a", s.list<ListOffsetsRequest::Partition>({{0, -1, {-1}}})}})};
    cut(s, offsets, 1);
    cut(s, offsets, 10);
    FetchRequest fetch{.topics = s.list<FetchRequest::Topic>({{.topic = "malformed-a", .partitions = s.list<FetchRequest::Partition>({{}})}})};
    cut(s, fetch, 4);
    cut(s, fetch, 12);
    ProduceRequest produce{.acks = 1, .topic_data = s.list<ProduceRequest::Topic>({{.name = "malformed-a", .partition_data = s.list<ProduceRequest::Partition>({{0, s.batch({{"v"}})}})}})};
    cut(s, produce, 3);
    cut(s, produce, 9);
    cut(s, CreateTopicsRequest{.topics = s.list<CreateTopicsRequest::Topic>({{.name = "malformed-b", .num_partitions = 1, .replication_factor = 1}}), .validate_only = true}, 2);
    cut(s, CreateTopicsRequest{.topics = s.list<CreateTopicsRequest::Topic>({{.name = "malformed-b", .num_partitions = 1, .replication_factor = 1}}), .validate_only = true}, 5);
    cut(s, InitProducerIdRequest{}, 0);
    cut(s, InitProducerIdRequest{}, 4);
    cut(s, ApiVersionsRequest{.client_software_name = "a", .client_software_version = "b"}, 3);
    cut(s, DescribeConfigsRequest{.resources = s.list<DescribeConfigsRequest::Resource>({{2, "malformed-a", std::nullopt}})}, 4);
    cut(s, DeleteTopicsRequest{.topics = s.list<DeleteTopicsRequest::Topic>({{"malformed-none", {}}})}, 6);

    // Lengths that lie.
    s.raw("Metadata 1, 2^31-1 topics", s.frame(3, 1, bytes_of({0x7f, 0xff, 0xff, 0xff})));
    s.differs("Kafka reads every length below zero as null; rafka knows only -1", "closed");
    s.raw("Metadata 1, -2 topics", s.frame(3, 1, bytes_of({0xff, 0xff, 0xff, 0xfe})));
    s.raw("Metadata 1, null name", s.frame(3, 1, bytes_of({0, 0, 0, 1, 0xff, 0xff})));
    s.raw("Metadata 1, name of -2", s.frame(3, 1, bytes_of({0, 0, 0, 1, 0xff, 0xfe})));
    s.raw("Metadata 1, name longer than the rest", s.frame(3, 1, bytes_of({0, 0, 0, 1, 0, 9, 'a'})));
    s.raw("Metadata 0, null topics", s.frame(3, 0, bytes_of({0xff, 0xff, 0xff, 0xff})));
    s.raw("Metadata 9, varint of six bytes", s.frame(3, 9, bytes_of({0x80, 0x80, 0x80, 0x80, 0x80, 0x01})));
    s.raw("Metadata 9, unknown tags", s.frame(3, 9, bytes_of({1, 0, 0, 0, 1, 99, 2, 7, 7})));
    s.raw("Metadata 9, a tag longer than the rest", s.frame(3, 9, bytes_of({1, 0, 0, 0, 1, 99, 20, 7, 7})));

    // No such thing.
    s.raw("unknown API", s.frame(999, 0, {}));
    s.raw("negative API", s.frame(-1, 0, {}));
    s.raw("an API of controllers", s.frame(52, 0, {}));
    s.raw("an API that is gone", s.frame(4, 0, {}));
    for (auto& api : apis) {
        if (api.key == ApiKey::api_versions || !api.is_served()) continue;
        auto name = std::string(api.name) + ' ';
        s.raw(name + std::to_string(api.oldest - 1), s.frame(int16_t(api.key), int16_t(api.oldest - 1), {}));
        s.raw(name + std::to_string(api.newest + 1), s.frame(int16_t(api.key), int16_t(api.newest + 1), {}));
    }
    s.raw("frame of -1 bytes", bytes_of({0xff, 0xff, 0xff, 0xff}));
    s.raw("frame of 2^31-1 bytes", bytes_of({0x7f, 0xff, 0xff, 0xff, 0, 3}));
    s.raw("frame of no bytes", bytes_of({0, 0, 0, 0}));
    s.raw("frame of 4 bytes", bytes_of({0, 0, 0, 4, 0, 3, 0, 1}));
    s.raw("frame with a client id of -2", bytes_of({0, 0, 0, 10, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xfe}));
    s.raw("frame without client id", bytes_of({0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0}));
    s.raw("words of HTTP", Bytes(std::as_bytes(std::span("GET / HTTP/1.1\r\n\r\n", 18))));
    s.ask("served as before", metadata, 12);
}

}  // namespace rafka::semantics
