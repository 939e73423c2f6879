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

    bool busy() const { return replies_.size() > 0; }
    bool holds_part() const { return holds_part_; }
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
    Task<Result<size_t>> receive(MutableBytes into);
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
    bool holds_part_ = false;  // Of a frame.
    bool is_sending_ = false;
    Instant last_active_;

    // What has arrived and belongs to no frame yet. Small requests come through it whole, and several at a time.
    std::array<std::byte, 512> staged_;
    size_t staged_from_ = 0;
    size_t staged_to_ = 0;
};

}  // namespace rafka::broker
