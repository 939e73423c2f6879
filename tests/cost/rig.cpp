#include "cost/rig.hpp"

#include "base/assert.hpp"
#include "base/endian.hpp"
#include "base/log.hpp"
#include "protocol/messages/create_topics.hpp"

#include <algorithm>

namespace rafka::cost {
namespace {

sim::MachineOptions machine_options() {
    sim::MachineOptions options;
    options.latency_min = options.latency_max = std::chrono::microseconds(100);
    options.slow = 0;
    options.network.latency_min = options.network.latency_max = std::chrono::microseconds(20);
    options.network.buffer_bytes = 1 << 20;
    options.network.partial_send = options.network.cut = 0;
    return options;
}

broker::Config config() {
    broker::Config config;
    config.log_directory = "/data";
    metadata::Endpoint listener;
    listener.name = "PLAINTEXT";
    listener.host = "127.0.0.1";
    config.listeners = {listener};
    config.controller.name = "CONTROLLER";
    config.controller.host = "localhost";
    config.controller.port = 9093;
    return config;
}

Task<> started(broker::Broker& broker, bool& done) {
    auto result = co_await broker.start(nullptr);
    ASSERT(result.has_value());
    done = true;
}

Task<> stopped(broker::Broker& broker, bool& done) {
    auto result = co_await broker.stop();
    ASSERT(result.has_value());
    done = true;
}

}  // namespace

void Seam::submit(Operation& operation) {
    if (observer) observer->machine_runs();
    if (operation.code == Code::write) {
        ++writes;
        for (auto& buffer : operation.buffers) bytes_written += buffer.iov_len;
    }
    machine_.submit(operation);
    if (observer) observer->broker_runs();
}

Operation* Seam::poll(Instant until) {
    if (observer) observer->machine_runs();
    auto* done = machine_.poll(until);
    if (observer) observer->broker_runs();
    return done;
}

Rig::Rig(uint64_t chunk_memory)
    : machine_(1, machine_options()), client_(machine_.add_io()), of_broker_(machine_.add_io()), seam_(of_broker_), loop_(seam_, 0) {
    log::set_level(log::Level::error);
    Loop* loops[] = {&loop_};
    auto wanted = config();
    wanted.chunk_memory_max = chunk_memory;
    broker_ = std::make_unique<broker::Broker>(loops, wanted, "localhost");
    Scope scope(loop_);
    bool done = false;
    scope.start(started(*broker_, done));
    run_until_done(done);
    while (scope.size() > 0) turn();
    SocketAddress address;
    address.ip = {127, 0, 0, 1};
    address.port = broker_->bound().front().port;
    Operation connect(Code::connect);
    connect.address = &address;
    socket_ = await(connect);
    ASSERT(socket_ >= 0);
}

Rig::~Rig() {
    client_.drop(socket_);
    Scope scope(loop_);
    bool done = false;
    scope.start(stopped(*broker_, done));
    run_until_done(done);
    while (scope.size() > 0) turn();
}

// The broker's turn; time moves on when it has nothing to do.
void Rig::turn() {
    if (seam_.observer) seam_.observer->broker_runs();
    bool ran = loop_.turn(Instant{});
    if (seam_.observer) seam_.observer->machine_runs();
    if (ran) return;
    auto next = std::min({client_.next_due(), of_broker_.next_due(), loop_.next_deadline()});
    ASSERT(next != never);
    machine_.clock().advance_to(std::max(next, machine_.clock().now()));
}

void Rig::run_until_done(const bool& done) {
    while (!done) turn();
}

int32_t Rig::await(Operation& operation) {
    client_.submit(operation);
    while (client_.poll(Instant{}) != &operation) turn();
    return operation.result;
}

void Rig::transfer(Code code, MutableBytes bytes) {
    while (!bytes.empty()) {
        Operation operation(code);
        operation.file = socket_;
        operation.single = {bytes.data(), bytes.size()};
        operation.buffers = {&operation.single, 1};
        auto count = await(operation);
        ASSERT(count > 0);
        bytes = bytes.subspan(size_t(count));
    }
}

void Rig::receive_answer() {
    std::byte prefix[4];
    transfer(Code::receive, prefix);
    answer_.resize(size_t(load_be<int32_t>(prefix)));
    transfer(Code::receive, answer_);
}

Bytes Rig::call(Bytes frame) {
    call_at_once(frame, 1);
    return answer_;
}

void Rig::call_at_once(Bytes frame, int count) {
    for (int i = 0; i < count; ++i) transfer(Code::send, {const_cast<std::byte*>(frame.data()), frame.size()});
    for (int i = 0; i < count; ++i) receive_answer();
}

void Rig::create_topic(std::string_view name, int32_t partitions) {
    protocol::CreateTopicsRequest request;
    protocol::CreateTopicsRequest::Topic topic;
    topic.name = name;
    topic.num_partitions = partitions;
    topic.replication_factor = 1;
    request.topics = {&topic, 1};
    request.timeout_ms = 30'000;
    call(frame_of(request, 7));
}

}  // namespace rafka::cost
