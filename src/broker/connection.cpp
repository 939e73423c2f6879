#include "broker/connection.hpp"

#include "base/assert.hpp"
#include "base/copy.hpp"
#include "base/endian.hpp"
#include "base/log.hpp"
#include "broker/dispatch.hpp"
#include "protocol/api.hpp"

#include <algorithm>
#include <cstring>

namespace rafka::broker {

namespace {
// Key, version and correlation id: less than that is no request.
constexpr int32_t frame_bytes_min = 8;
constexpr Duration memory_wait_max = std::chrono::seconds(30);
constexpr Duration stalled_after = std::chrono::seconds(5);
constexpr size_t stalled_below = 64 << 10;  // Bytes per second.
constexpr Duration memory_look = std::chrono::seconds(1);
// Answers that wait for their clients to read: of one connection, and of all of a loop together. At the bound a connection
// that has some reads on when they are sent. Records do not count, which have a budget of their own.
constexpr size_t unsent_max = 1 << 20;
constexpr size_t unsent_of_all = 64 << 20;

bool is_fetch(const Request& request) { return request.header.api_key == int16_t(protocol::ApiKey::fetch); }
}  // namespace

Connection::Connection(Shard& shard, io::Socket socket, std::string_view listener)
    : shard_(shard),
      loop_(shard.loop),
      socket_(std::move(socket)),
      reading_(loop_.io()),
      sending_(loop_.io()),
      requests_(loop_),
      space_(loop_),
      last_active_(loop_.now()) {
    client_.address = socket_.peer();
    client_.listener = listener;
    shard_.connections.add(*this);
}

Connection::~Connection() { shard_.ended(*this); }

void Connection::touch() {
    last_active_ = loop_.now();
    shard_.connections.touch(*this);
}

bool Connection::is_stalled() const {
    if (!part_ || waits_for_memory_ || part_->size == 0) return false;
    auto now = loop_.now();
    if (now - last_active_ > stalled_after) return true;
    // A byte now and then is no progress.
    auto took = now - part_begun_;
    return took > stalled_after && part_->size / size_t(std::chrono::ceil<std::chrono::seconds>(took).count()) < stalled_below;
}

void Connection::end() {
    ending_ = true;
    reading_.fire();
    space_.notify_all();
    client_.leave();
}

void Connection::cut() {
    broken_ = true;
    end();
    sending_.fire();
}

Task<> Connection::serve() {
    auto read = co_await read_frames();
    if (!read) say_why(read.error());
    end();
    co_await requests_.drained();
    release(replies_.size());
    auto closed = co_await socket_.close();
    if (!closed) log::debug("socket not closed: peer={} reason=\"{}\"", client_.address.to_text(), to_text(closed.error()));
}

Task<Result<>> Connection::read_frames() {
    while (!ending_) {
        if (replies_.full() || unsent_ >= unsent_max || (unsent_ > 0 && shard_.unsent >= unsent_of_all)) {
            co_await space_.wait();
            continue;
        }
        auto frame = co_await read_frame();
        if (!frame) co_return fail(frame.error());
        touch();
        auto request = shard_.requests.take();
        request->frame = std::move(*frame);
        request->client = &client_;
        // A request that cannot be read ends the connection, behind the answers to those before it.
        auto begun = begin(*request);
        request->close = !begun.has_value();
        // The records of an answer take memory until they are sent: one fetch at a time, as Kafka serves a connection.
        if (is_fetch(*request)) {
            while (fetches_ > 0 && !ending_) co_await space_.wait();
            ++fetches_;
        }
        requests_.start(run(replies_.add(std::move(request))));
        if (!begun) co_return begun;
    }
    co_return Result<>();
}

Task<Result<Frame>> Connection::read_frame() {
    while (staged_to_ - staged_from_ < wire::frame_prefix_size) {
        if (staged_from_ > 0) {
            std::memmove(staged_.data(), staged_.data() + staged_from_, staged_to_ - staged_from_);
            staged_to_ -= staged_from_;
            staged_from_ = 0;
        }
        // Behind a large request comes another one, most likely. It goes to its frame without a detour, but for its size.
        auto wanted = last_was_large_ ? wire::frame_prefix_size : staged_.size();
        CO_TRY(size_t count, co_await socket_.receive(MutableBytes(staged_).first(wanted).subspan(staged_to_), &reading_));
        if (count == 0) co_return fail(Errc::closed);
        staged_to_ += count;
    }
    auto total = load_be<int32_t>(staged_.data() + staged_from_);
    if (total < frame_bytes_min) co_return fail(Errc::malformed);
    if (uint32_t(total) > shard_.limits.frame_bytes_max) co_return fail(Errc::too_large);
    staged_from_ += wire::frame_prefix_size;
    last_was_large_ = size_t(total) > staged_.size();

    Frame frame;
    auto filled = co_await fill(frame, size_t(total));
    part_ = nullptr;
    if (!filled) co_return fail(filled.error());
    co_return std::move(frame);
}

Task<Result<>> Connection::fill(Frame& frame, size_t total) {
    part_ = &frame;
    part_begun_ = loop_.now();
    if (!shard_.memory.try_grow(frame, 0, total)) CO_CHECKED(co_await make_room(frame, total));
    frame.size = std::min(total, staged_to_ - staged_from_);
    copy_records(frame.data(), Bytes(staged_).subspan(staged_from_, frame.size));
    staged_from_ += frame.size;
    while (frame.size < total) {
        if (frame.size == frame.capacity()) CO_CHECKED(co_await make_room(frame, total));
        auto room = std::min(frame.capacity(), total) - frame.size;
        CO_TRY(size_t count, co_await socket_.receive({frame.data() + frame.size, room}, &reading_));
        if (count == 0) co_return fail(Errc::closed);
        frame.size += count;
        touch();
    }
    co_return Result<>();
}

Task<Result<>> Connection::make_room(Frame& frame, size_t total) {
    if (shard_.memory.try_grow(frame, frame.size, total)) co_return Result<>();
    auto began = loop_.now();
    waits_for_memory_ = true;
    bool grown = false;
    while (!ending_ && !grown && loop_.now() < began + memory_wait_max) {
        grown = co_await shard_.memory.grow(frame, frame.size, total, loop_.now() + memory_look);
        if (!grown) shard_.drop_stalled();
    }
    waits_for_memory_ = false;
    part_begun_ = part_begun_ + (loop_.now() - began);
    if (grown) co_return Result<>();
    co_return fail(ending_ ? Errc::canceled : Errc::no_memory);
}

Task<> Connection::run(Request& request) {
    if (!request.close) {
        auto done = co_await dispatch(shard_, request);
        if (!done) {
            say_why(done.error());
            request.answer.clear();
            request.close = true;
        }
    }
    request.forget_message();
    request.ready = true;
    unsent_ += request.answer.own_size();
    shard_.unsent += request.answer.own_size();
    if (!is_sending_) co_await send_answers();
}

// Whoever completes the oldest answer sends it, and what else is ready by then.
Task<> Connection::send_answers() {
    is_sending_ = true;
    while (replies_.first_ready() && !broken_) {
        size_t count = replies_.collect();
        auto* request = &replies_.first();
        for (size_t i = 1; i < count; ++i) request = request->next.get();
        bool last = request->close;
        auto sent = co_await send(replies_.first().gather);
        if (!sent || last) cut();
        release(count);
        space_.notify_all();
    }
    is_sending_ = false;
}

Task<Result<>> Connection::send(std::span<iovec> pieces) {
    while (!pieces.empty()) {
        CO_TRY(size_t sent, co_await socket_.send(pieces, &sending_));
        pieces = io::behind(pieces, sent);
        touch();
    }
    co_return Result<>();
}

void Connection::release(size_t count) {
    auto* request = count > 0 ? &replies_.first() : nullptr;
    for (size_t i = 0; i < count; ++i, request = request->next.get()) {
        fetches_ -= is_fetch(*request);
        if (!request->ready) continue;
        unsent_ -= request->answer.own_size();
        shard_.unsent -= request->answer.own_size();
    }
    replies_.release(count, shard_.requests);
}

void Connection::say_why(Errc errc) {
    std::string_view reason;
    switch (errc) {
        case Errc::malformed: reason = "a request that does not parse"; break;
        case Errc::unsupported: reason = "a request of an API or version that is not served"; break;
        case Errc::too_large: reason = "a request larger than socket.request.max.bytes"; break;
        case Errc::no_memory: reason = "no memory for its request came free"; break;
        default: return;  // Peers come and go.
    }
    uint64_t suppressed = 0;
    if (!shard_.peer_lines.allow(loop_.now().since_start, suppressed)) return;
    log::warn("connection closed: peer={} listener={} reason=\"{}\" suppressed={}", client_.address.to_text(),
              client_.listener, reason, suppressed);
}

}  // namespace rafka::broker
