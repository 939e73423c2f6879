// Idempotent producers: InitProducerId, and what Produce makes of sequences and epochs.

#include "semantics/scenarios.hpp"
#include "semantics/script.hpp"

#include <stdexcept>
#include <thread>

namespace rafka::semantics {

namespace {

struct Producer {
    Script& s;
    std::string_view topic;
    int64_t id;

    void send(std::string_view label, int16_t epoch, int32_t sequence, int32_t count = 1, int16_t version = 9) {
        BatchBuilder builder(produced_by(id, epoch, sequence));
        for (int32_t i = 0; i < count; ++i) builder.add({then}, std::nullopt, as_bytes("v"));
        raw(label, s.keep(builder.build()), version);
    }
    void raw(std::string_view label, Bytes batch, int16_t version = 9) {
        ProduceRequest request{.acks = -1, .timeout_ms = 5000, .topic_data = s.list<ProduceRequest::Topic>({{.name = topic, .partition_data = s.list<ProduceRequest::Partition>({{0, batch}})}})};
        s.ask(label, request, version);
    }
};

int64_t new_id(Script& s) {
    // Kafka asks its controller for ids when the first is wanted, and meanwhile has none.
    for (int i = 0; i < 100; ++i) {
        auto answer = s.quietly(InitProducerIdRequest{.transaction_timeout_ms = 60000}, 4);
        if (answer.error_code == ErrorCode::none) {
            s.mask().producer(answer.producer_id);
            return answer.producer_id;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw std::runtime_error("no producer id");
}

}  // namespace

void idempotence(Script& s) {
    s.topic("idempotence-a");
    Producer a{s, "idempotence-a", new_id(s)};
    a.send("first", 0, 0);
    a.send("second", 0, 1, 3);
    a.send("second again", 0, 1, 3);
    a.send("first again", 0, 0);
    a.send("overlaps", 0, 2, 3);
    a.send("part of the second", 0, 1, 2);
    a.send("gap", 0, 5);
    a.send("gap, old version", 0, 5, 1, 3);
    a.send("next", 0, 4);
    for (int32_t i = 5; i < 11; ++i) a.send("and on", 0, i);
    a.send("old duplicate, forgotten", 0, 0);
    a.send("old duplicate, last remembered", 0, 6);
    a.send("old duplicate, just forgotten", 0, 5);
    a.send("new epoch, not from 0", 1, 11);
    a.send("new epoch", 1, 0);
    a.send("new epoch, again", 1, 0);
    a.send("new epoch, on", 1, 1);
    a.send("old epoch", 0, 11);
    a.send("old epoch, duplicate", 0, 10);
    a.send("old epoch, version 3", 0, 11, 1, 3);
    a.send("epoch far ahead", 100, 0);
    a.send("last epoch", 32767, 0);

    Producer b{s, "idempotence-a", new_id(s)};
    b.send("unknown producer, not from 0", 0, 7);
    b.send("unknown producer, on from there", 0, 8);
    b.send("unknown producer, a gap", 0, 20);

    s.topic("idempotence-wrap");
    Producer c{s, "idempotence-wrap", new_id(s)};
    c.send("near the end", 0, INT32_MAX - 1);
    c.send("over the end", 0, INT32_MAX, 3);
    c.send("over the end, again", 0, INT32_MAX, 3);
    c.send("behind the end", 0, 2);
    c.send("gap behind the end", 0, 0);

    s.topic("idempotence-bad");
    Producer d{s, "idempotence-bad", new_id(s)};
    s.topic("idempotence-careful");
    Producer careful{s, "idempotence-careful", d.id};
    for (int16_t epoch : {-1, -2}) {
        s.differs("Kafka takes epoch -1 of a producer, and finds -2 too old; rafka calls both no epoch (87)");
        careful.send("epoch " + std::to_string(epoch), epoch, 0);
    }
    d.send("negative sequence", 0, -1);
    d.send("sequence -2", 0, -2);
    d.send("negative epoch and sequence", -1, -1);
    d.send("first", 0, 0);
    BatchBuilder::Options options;
    d.raw("no producer in between", s.batch({{"v"}}, options));
    d.send("second", 0, 1);
    options = produced_by(-1, 0, 0);
    d.raw("epoch without a producer", s.batch({{"v"}}, options));
    options = produced_by(-2, 0, 0);
    d.raw("producer -2", s.batch({{"v"}}, options));
    s.differs("Kafka has no answer but -1 for a codec that it does not know; rafka says 76");
    d.raw("damaged, then the same again", s.keep(patched<int16_t>(s.batch({{"v"}}, produced_by(d.id, 0, 2)), batch_at::attributes, 7)));
    d.send("third", 0, 2);
    for (auto codec : {Codec::gzip, Codec::zstd}) {
        options = produced_by(d.id, 0, codec == Codec::gzip ? 3 : 5);
        options.codec = codec;
        d.raw(std::string(to_text(codec)), s.batch({{"a"}, {"b"}}, options));
        d.raw(std::string(to_text(codec)) + " again", s.batch({{"a"}, {"b"}}, options));
    }

    // Stamped by the broker: a duplicate has the first one's offset.
    s.topic("idempotence-stamped", 1, {{"message.timestamp.type", "LogAppendTime"}});
    Producer e{s, "idempotence-stamped", new_id(s)};
    e.send("stamped", 0, 0, 2);
    e.send("stamped, again", 0, 0, 2);
}

void init_producer_id(Script& s) {
    InitProducerIdRequest request{.transaction_timeout_ms = 60000};
    new_id(s);
    for (int16_t version = 0; version <= 5; ++version) s.ask("no transaction", request, version);
    request.transaction_timeout_ms = 0;
    s.ask("no transaction, timeout 0", request, 4);
    request.transaction_timeout_ms = INT32_MAX;
    s.ask("no transaction, timeout huge", request, 4);
    request.transaction_timeout_ms = -1;
    s.ask("no transaction, timeout negative", request, 4);
    request.transaction_timeout_ms = 60000;
    struct Pair { int64_t id; int16_t epoch; };
    for (auto pair : {Pair{-1, -1}, Pair{5, 0}, Pair{5, 3}, Pair{-1, 0}, Pair{5, -1}, Pair{-2, -1}, Pair{-1, -2}, Pair{0, 32767}, Pair{INT64_MAX, 0}}) {
        request.producer_id = pair.id;
        request.producer_epoch = pair.epoch;
        auto label = "given " + std::to_string(pair.id) + ' ' + std::to_string(pair.epoch);
        s.ask(label, request, 3);
        s.ask(label, request, 5);
        request.transactional_id = "";
        s.ask(label + ", empty transaction", request, 4);
        request.transactional_id.reset();
    }
    InitProducerIdRequest empty{.transactional_id = "", .transaction_timeout_ms = 60000};
    for (int16_t version : {0, 2, 5}) s.ask("empty transaction", empty, version);
}

}  // namespace rafka::semantics
