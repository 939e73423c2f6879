#pragma once

// One client's connection: reads frames, starts a task for each request, and sends the answers in the order of the
// requests. It lives on the loop of its shard. While nothing comes it holds this object and its waiting coroutines.

#include "broker/replies.hpp"
#include "broker/request.hpp"
#include "broker/shard.hpp"
#include "io/socket.hpp"

#include <rafka/loop.hpp>

#include <array>
#include <cstddef>

namespace rafka::broker {

class Connection {
public:
    Connection(Shard& shard, io::Socket socket, std::string_view listener);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Until the peer is done, or breaks the protocol, or is cut; then waits for what it has begun and closes the socket.
    Task<> serve();

    // Reads no more; ends when the answers to what was read are sent.
    void end();
    // Ends at once.
    void cut();

    // The broker owes it something; what a client does not take is its own affair.
    bool busy() const { return replies_.size() > 0 && !is_sending_; }
    // It has sent a part of a frame, and the rest is slow to come.
    bool is_stalled() const;
    // It has sent a part of a frame, and waits for memory for the rest.
    bool waits_for_memory() const { return part_ && part_->size > 0 && waits_for_memory_; }
    Instant last_active() const { return last_active_; }
    void touch();

    // In the shard's list.
    Connection* next = nullptr;
    Connection* previous = nullptr;

private:
    Task<Result<>> read_frames();
    Task<Result<Frame>> read_frame();
    Task<Result<>> fill(Frame& frame, size_t total);
    Task<Result<>> make_room(Frame& frame, size_t total);
    Task<> run(Request& request);
    Task<> send_answers();
    Task<Result<>> send(std::span<iovec> pieces);
    void release(size_t count);
    void say_why(Errc errc);

    Shard& shard_;
    Loop& loop_;
    io::Socket socket_;
    Client client_;
    Cancel reading_;
    Cancel sending_;
    Scope requests_;
    Event space_;
    Replies replies_;
    bool ending_ = false;
    bool broken_ = false;      // Nothing more can be sent.
    bool is_sending_ = false;
    bool waits_for_memory_ = false;
    const Frame* part_ = nullptr;  // The frame that is being received.
    Instant part_begun_;
    size_t unsent_ = 0;            // Bytes of answers, records not counted.
    size_t fetches_ = 0;           // Whose answers are not sent yet.
    Instant last_active_;

    // What has arrived and belongs to no frame yet. Small requests come through it whole, and several at a time.
    std::array<std::byte, 512> staged_;
    size_t staged_from_ = 0;
    size_t staged_to_ = 0;
    bool last_was_large_ = false;  // The last frame was larger than that.
};

}  // namespace rafka::broker
