#pragma once

// One request of a client and the answer to it. It lives from the frame's arrival until the socket has taken the
// answer. The message's strings are views of the frame and its arrays lie in the arena; both go as soon as the answer is
// made, which borrows nothing but records. Used again by later requests of the same loop, so that a warm broker allocates nothing for it.

#include "broker/memory.hpp"
#include "wire/arena.hpp"
#include "wire/frame.hpp"
#include "wire/message.hpp"
#include "wire/payload.hpp"

#include <rafka/io.hpp>
#include <rafka/partition.hpp>

#include <sys/uio.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rafka::broker {

// A wait on behalf of a client that ends early when the client goes away or the broker stops.
class Waiting {
public:
    using GiveUp = void (*)(Waiting& waiting);
    explicit Waiting(GiveUp give_up) : give_up(give_up) {}
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    GiveUp give_up;
    Waiting* next = nullptr;
    Waiting* previous = nullptr;
};

// Who is at the other end of a connection.
struct Client {
    SocketAddress address;
    std::string_view listener;       // The name of the listener it came through.
    std::string software_name;       // As ApiVersions told.
    std::string software_version;
    bool gone = false;               // Or going: nothing should wait for it any more.
    Waiting* waiting = nullptr;

    void add(Waiting& wait) {
        wait.next = waiting;
        if (waiting) waiting->previous = &wait;
        waiting = &wait;
    }
    void remove(Waiting& wait) {
        (wait.previous ? wait.previous->next : waiting) = wait.next;
        if (wait.next) wait.next->previous = wait.previous;
        wait.next = wait.previous = nullptr;
    }
    void leave() {
        gone = true;
        for (auto* wait = waiting; wait;) {
            auto* next = wait->next;
            wait->give_up(*wait);
            wait = next;
        }
    }
};

struct Request {
    wire::RequestHeader header;
    Bytes body;
    Client* client = nullptr;

    // What the answer is made of. It is a whole frame, or empty where Kafka sends none (Produce with acks=0).
    wire::Arena arena;
    wire::Payload answer;
    std::vector<Records> records;  // What the answer borrows,
    int64_t held = 0;              // how many bytes that is,
    std::atomic<int64_t>* held_of = nullptr;  // and of which budget.
    // The connection ends behind this answer, or instead of it.
    bool close = false;

    // Of the connection.
    Frame frame;
    bool ready = false;
    std::unique_ptr<Request> next;
    std::vector<Bytes> pieces;
    std::vector<iovec> gather;

    // The answer is made, and has what it says: frame and message are needed no more.
    void forget_message();
    std::string_view client_id() const { return header.client_id.value_or(std::string_view()); }
    int16_t version() const { return header.api_version; }
    void reset();
};

// Reads the header of request.frame. Malformed, or unsupported where key or version is none that we serve: there is no
// answer that the client would understand, so the connection must end. Only ApiVersions is understood at any version.
Result<> begin(Request& request);

// The message of a request, or malformed. Bytes behind it are ignored, as Kafka does.
template <class M>
Result<M> parse(Request& request) {
    auto bytes = request.body;
    return wire::read_some<M>(bytes, request.arena, request.version());
}

// Makes `message` the answer.
template <class M>
void answer(Request& request, const M& message) {
    constexpr bool header_is_plain = M::schema.key == 18;  // ApiVersions: a client that is too new must understand it.
    wire::begin_frame(request.answer);
    wire::write_response_header(request.answer, request.header.correlation_id,
                                !header_is_plain && M::schema.flexible(request.version()));
    wire::write(request.answer, message, request.version());
    wire::end_frame(request.answer);
}

class RequestPool {
public:
    std::unique_ptr<Request> take();
    void give_back(std::unique_ptr<Request> request);

private:
    static constexpr size_t kept_max = 64;
    std::vector<std::unique_ptr<Request>> kept_;
};

}  // namespace rafka::broker
