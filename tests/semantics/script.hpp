#pragma once

// A scenario: requests one after another, and what was answered to each, as text. Run against Kafka the text is stored
// (tests/golden/semantics); run against rafka it must be the same. What may differ is hidden by mask.hpp before it
// becomes text, or named at the exchange by differs().

#include "protocol/messages/create_topics.hpp"
#include "semantics/client.hpp"
#include "semantics/mask.hpp"
#include "semantics/records.hpp"
#include "wire/frame.hpp"
#include "wire/message.hpp"

#include <chrono>
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace rafka::semantics {

using namespace rafka::protocol;

struct Exchange {
    std::string title;
    std::string text;
    std::string differs;   // Why rafka answers otherwise; empty if it may not.
    std::string instead;   // What it answers then; empty: not compared.
};

// Oldest, middle and newest of those that are served.
std::vector<int16_t> versions_of(int16_t api_key);

class Script {
public:
    // `settling`: Kafka applies some changes a moment after it has answered.
    Script(Address address, bool settling) : address_(std::move(address)), client_(address_), settling_(settling) {}

    template <class T>
    Array<T> list(std::initializer_list<T> elements) {
        auto copy = arena.make<T>(elements.size());
        std::copy(elements.begin(), elements.end(), copy.begin());
        return copy;
    }
    template <class T>
    Array<T> list(const std::vector<T>& elements) {
        auto copy = arena.make<T>(elements.size());
        std::copy(elements.begin(), elements.end(), copy.begin());
        return copy;
    }
    std::string_view text(const std::string& text) { return arena.copy(text); }
    Bytes keep(std::vector<std::byte> bytes) { return kept_.emplace_back(std::move(bytes)); }
    Bytes batch(std::initializer_list<TestRecord> records, const BatchBuilder::Options& options = {}) {
        return keep(make_batch(records, options));
    }

    // One exchange. The answer lives as long as the script; it is the default answer if there was none.
    template <class M>
    auto ask(std::string_view label, const M& request, int16_t version) {
        send(client_, request, version);
        return take<M>(client_, label, version);
    }
    template <class M>
    void ask_each(std::string_view label, const M& request) {
        for (auto version : versions_of(M::schema.key)) ask(label, request, version);
    }
    // The halves of an exchange, for requests that wait.
    template <class M>
    void send(Client& client, const M& request, int16_t version) {
        wire::Payload out;
        wire::begin_frame(out);
        wire::write_request_header(out, header(M::schema.key, version), M::schema.flexible(version));
        wire::write(out, request, version);
        wire::end_frame(out);
        client.send(out.bytes());
    }
    template <class M>
    auto take(Client& client, std::string_view label, int16_t version) {
        using Answer = typename AnswerTo<M>::type;
        Answer answer;
        std::string text;
        if (receive<Answer>(client, version, answer, text)) text = describe_masked(mask_, arena, answer, version);
        note(title(M::schema.key, version, label), text);
        return answer;
    }
    // An exchange that is not part of the transcript.
    template <class M>
    auto quietly(const M& request, int16_t version) {
        typename AnswerTo<M>::type answer;
        std::string problem;
        send(client_, request, version);
        if (!receive(client_, version, answer, problem)) fail("no answer to a helper's request: " + problem);
        return answer;
    }
    // Any bytes; the transcript says whether the connection was closed, and else shows the frame.
    void raw(std::string_view label, Bytes bytes, std::chrono::milliseconds patience = std::chrono::seconds(10));
    std::vector<std::byte> frame(int16_t api_key, int16_t version, Bytes body);
    template <class M>
    std::vector<std::byte> body(const M& request, int16_t version) {
        wire::Payload out;
        wire::write(out, request, version);
        return out.copy();
    }
    // A line of its own.
    void note(std::string title, std::string text);

    // Rafka answers the next exchange in another way, for a reason.
    void differs(std::string_view reason, std::string_view instead = "") {
        differs_ = reason;
        instead_ = instead;
    }

    // A topic that is ready to be written: created, led, open. Not part of the transcript.
    Uuid topic(std::string_view name, int32_t partitions = 1,
               std::initializer_list<CreateTopicsRequest::Config> configs = {});
    // Waits until a topic (made otherwise) is led and open.
    Uuid await_topic(std::string_view name, int32_t partitions = 1);
    // Appends, expecting no error. Not part of the transcript.
    void append(std::string_view topic, int32_t partition, Bytes batch);
    // Whether there is a broker that has joined its cluster.
    bool is_served();
    // Where Kafka needs a moment until a change is seen.
    void settle();

    Client other() { return Client(address_); }
    Client& client() { return client_; }
    Mask& mask() { return mask_; }
    const std::vector<Exchange>& transcript() const { return transcript_; }

    wire::Arena arena;

private:
    wire::RequestHeader header(int16_t key, int16_t version) { return {key, version, ++correlation_id_, "script"}; }
    static std::string title(int16_t key, int16_t version, std::string_view label);
    // The frame's body after the header; nothing, and the reason, when there is none.
    bool receive_body(Client& client, bool flexible, Bytes& body, std::string& problem);
    [[noreturn]] static void fail(const std::string& problem);

    template <class Answer>
    bool receive(Client& client, int16_t version, Answer& answer, std::string& problem) {
        Bytes body;
        if (!receive_body(client, flexible_response_header(Answer::schema.key, version), body, problem)) return false;
        auto read = wire::read<Answer>(body, arena, version);
        if (!read) {
            problem = "unreadable: " + std::to_string(body.size()) + " bytes";
            return false;
        }
        answer = *read;
        return true;
    }

    Address address_;
    Client client_;
    bool settling_;
    Mask mask_;
    int32_t correlation_id_ = 0;
    std::deque<std::vector<std::byte>> kept_;
    std::vector<Exchange> transcript_;
    std::string differs_;
    std::string instead_;
};

using Scenario = void (*)(Script& script);

}  // namespace rafka::semantics
