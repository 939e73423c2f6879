#include "sim/machine.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rafka::sim {
namespace {

constexpr size_t buffers_max = 1024;  // IOV_MAX: more is EINVAL.

bool is_of_sockets(Code code) { return code >= Code::listen; }

size_t size_of(std::span<const iovec> buffers) {
    size_t n = 0;
    for (auto& buffer : buffers) n += buffer.iov_len;
    return n;
}

std::vector<std::byte> gather(std::span<const iovec> buffers, size_t bytes_max = SIZE_MAX) {
    std::vector<std::byte> bytes;
    bytes.reserve(std::min(size_of(buffers), bytes_max));
    for (auto& buffer : buffers) {
        auto* from = static_cast<const std::byte*>(buffer.iov_base);
        bytes.insert(bytes.end(), from, from + std::min(buffer.iov_len, bytes_max - bytes.size()));
    }
    return bytes;
}

const char* name_of_code(Code code) {
    static constexpr const char* names[] = {"open", "close", "read", "write", "sync", "allocate", "truncate", "rename",
        "remove", "make_directory", "list_directory", "status", "space", "lock", "listen", "accept", "connect", "receive",
        "send", "shutdown"};
    return names[size_t(code)];
}

}  // namespace

Machine::Machine(uint64_t seed, const MachineOptions& options) : Machine(seed, options, Disk(options.disk)) {}

Machine::Machine(uint64_t seed, const MachineOptions& options, Disk disk)
    : options_(options),
      chance_(seed),
      fault_chance_(chance_.fork()),
      given_(chance_.fork()),
      clock_(options.wall),
      disk_(std::move(disk)),
      network_(options.network, chance_.fork(), [this](Ticket ticket, Instant at) {
          if (auto found = pending_.find(ticket); found != pending_.end() && at < found->second.due) schedule(ticket, at);
      }),
      prints_(std::getenv("RAFKA_SIM_TRACE") != nullptr) {}

Machine::~Machine() { ASSERT(pending_.empty()); }

Sim& Machine::add_io() {
    ios_.push_back(std::make_unique<Sim>(*this, uint32_t(ios_.size())));
    return *ios_.back();
}

void Machine::add_to_trace(uint64_t value) { trace_ = Random(trace_ ^ value).next(); }

Duration Machine::latency() {
    auto time = chance_.between(uint64_t(options_.latency_min.count()), uint64_t(options_.latency_max.count()));
    return Duration(chance_.chance(options_.slow) ? time * 50 : time);
}

void Machine::schedule(Ticket ticket, Instant at) {
    auto& pending = pending_.at(ticket);
    pending.io->due_.erase({pending.due, ticket});
    pending.due = at;
    if (at != never) pending.io->due_.insert({at, ticket});
}

void Machine::submit(Sim& io, Operation& operation) {
    auto ticket = ++last_ticket_;
    operation.scratch[0] = ticket;
    auto& pending = pending_[ticket];
    pending.operation = &operation;
    pending.io = &io;
    pending.disk_sequence = disk_.sequence();
    bool has_file = operation.file >= 0;
    if (has_file) {
        auto found = descriptors_.find(operation.file);
        if (found == descriptors_.end()) {
            pending.descriptor_error = -EBADF;
        } else {
            pending.target = found->second.target;
            pending.file_flags = found->second.flags;
            bool is_socket = found->second.kind == Descriptor::Kind::socket;
            if (operation.code != Code::close && is_socket != is_of_sockets(operation.code)) {
                pending.descriptor_error = is_socket ? -EINVAL : -ENOTSOCK;
            }
            ++found->second.in_flight;
        }
    }
    if (operation.code == Code::write && chance_.chance(0.5)) {
        pending.data = gather(operation.buffers);
        pending.has_data = true;
    }
    // Sockets that are ready answer sooner than disks.
    schedule(ticket, clock_.now() + (is_of_sockets(operation.code) ? latency() / 20 : latency()));
}

void Machine::cancel(Operation& operation) {
    auto ticket = Ticket(operation.scratch[0]);
    auto found = pending_.find(ticket);
    if (found == pending_.end() || found->second.operation != &operation) return;
    auto& pending = found->second;
    // The kernel does not call back what a disk has begun; what waits for a peer always ends.
    if (!is_of_sockets(operation.code)) return;
    pending.canceled = true;
    schedule(ticket, std::min(pending.due, clock_.now() + latency() / 20));
}

bool Machine::attempt(Ticket ticket) {
    auto& pending = pending_.at(ticket);
    auto& operation = *pending.operation;
    pending.io->due_.erase({pending.due, ticket});
    pending.due = never;
    if (!is_of_sockets(operation.code)) {
        ++boundaries_;
        if (at_boundary) at_boundary();
    }
    int canceled = pending.progress > 0 ? int(pending.progress) : -ECANCELED;
    if (pending.canceled && chance_.chance(0.5)) {
        operation.result = canceled;
    } else {
        Instant retry = never;
        auto result = act(ticket, pending, retry);
        if (!result && pending.canceled) result = pending.progress > 0 ? int(pending.progress) : canceled;
        if (!result) {
            // A wake-up may have come from inside; the earlier time counts.
            if (retry < pending.due) schedule(ticket, retry);
            return false;
        }
        operation.result = *result;
    }
    if (auto found = descriptors_.find(operation.file); found != descriptors_.end() && operation.code != Code::close) {
        --found->second.in_flight;
    }
    trace_completion(pending);
    ++completions_;
    pending.io->due_.erase({pending.due, ticket});
    pending_.erase(ticket);
    return true;
}

void Machine::trace_completion(const Pending& pending) {
    auto& operation = *pending.operation;
    add_to_trace(uint64_t(operation.code) | uint64_t(pending.io->index()) << 8 | uint64_t(uint32_t(operation.result)) << 32);
    add_to_trace(uint64_t(clock_.now().since_start.count()));
    bool moves_bytes = operation.code == Code::read || operation.code == Code::write || operation.code == Code::receive ||
                       operation.code == Code::send;
    if (moves_bytes && operation.result > 0) {
        add_to_trace(operation.position);
        add_to_trace(xxh3(gather(operation.buffers, size_t(operation.result))));
    }
    if (prints_) {
        std::fprintf(stderr, "sim %12.6f loop=%u %s file=%d %s%s%s flags=%u position=%llu length=%llu -> %d\n",
                     double(clock_.now().since_start.count()) / 1e9, pending.io->index(), name_of_code(operation.code),
                     operation.file, name_of(pending).c_str(), operation.other_path ? " " : "",
                     operation.other_path ? operation.other_path : "", operation.flags,
                     static_cast<unsigned long long>(operation.position),
                     static_cast<unsigned long long>(operation.length ? operation.length : size_of(operation.buffers)),
                     operation.result);
    }
}

std::string Machine::name_of(const Pending& pending) const {
    auto& operation = *pending.operation;
    if (operation.path != nullptr) return operation.path;
    if (is_of_sockets(operation.code) || pending.target == 0 || pending.descriptor_error) return "";
    return operation.code == Code::close ? "" : disk_.name(pending.target);
}

int Machine::fault_of(const Pending& pending) {
    auto code = pending.operation->code;
    for (auto it = planned_.begin(); it != planned_.end(); ++it) {
        if (it->code != code || !name_of(pending).ends_with(it->name_end)) continue;
        if (it->skip-- > 0) continue;
        int error = it->error;
        planned_.erase(it);
        return error;
    }
    bool may_grow = code == Code::write || code == Code::allocate ||
                    (code == Code::open && (pending.operation->flags & flag::create));
    if (may_grow && fault_chance_.chance(faults.no_space)) return ENOSPC;
    double rate = code == Code::read ? faults.read : code == Code::write ? faults.write : code == Code::sync ? faults.sync : 0;
    return fault_chance_.chance(rate) ? EIO : 0;
}

std::optional<int> Machine::act(Ticket ticket, Pending& pending, Instant& retry) {
    if (pending.descriptor_error) return pending.descriptor_error;
    auto& operation = *pending.operation;
    if (is_of_sockets(operation.code)) return act_on_socket(ticket, pending, retry);
    int error = fault_of(pending);
    if (error == 0) return act_on_file(pending);
    ++injected_;
    if (operation.code == Code::write && error == EIO) {
        disk_.write_failed(pending.target, operation.position, gather(operation.buffers), fault_chance_);
    } else if (operation.code == Code::sync) {
        disk_.sync_failed(pending.target, pending.disk_sequence, fault_chance_);
    }
    return -error;
}

int Machine::act_on_file(Pending& pending) {
    auto& operation = *pending.operation;
    auto wall = clock_.wall();
    bool writes = operation.code == Code::write || operation.code == Code::allocate || operation.code == Code::truncate;
    if (writes && !(pending.file_flags & flag::write)) return operation.code == Code::truncate ? -EINVAL : -EBADF;
    switch (operation.code) {
    case Code::open: return open(operation);
    case Code::close: return close(operation.file, 1);
    case Code::read: return read(pending);
    case Code::write: return write(pending);
    case Code::sync: if (!options_.syncs_lie) disk_.sync(pending.target, pending.disk_sequence); return 0;
    case Code::allocate: return disk_.allocate(pending.target, operation.position, operation.length, wall);
    case Code::truncate: return disk_.truncate(pending.target, operation.length, wall);
    case Code::rename: return disk_.rename(operation.path, operation.other_path);
    case Code::remove: return disk_.remove(operation.path);
    case Code::make_directory: return disk_.make_directory(operation.path, wall);
    case Code::list_directory: {
        auto& out = *static_cast<std::vector<DirectoryEntry>*>(operation.out);
        out.clear();
        int error = disk_.list(operation.path, out);
        chance_.shuffle(out);  // A directory has no order.
        return error;
    }
    case Code::status: {
        auto node = operation.path != nullptr ? disk_.find(operation.path) : pending.target;
        if (node == 0) return -ENOENT;
        return disk_.status(node, *static_cast<FileStatus*>(operation.out));
    }
    case Code::space: *static_cast<FileSystemSpace*>(operation.out) = disk_.space(); return 0;
    case Code::lock: {
        auto holder = locks_.find(pending.target);
        if (holder != locks_.end() && holder->second != operation.file) return -EAGAIN;
        locks_[pending.target] = operation.file;
        return 0;
    }
    default: UNREACHABLE();
    }
}

int Machine::new_descriptor(Descriptor descriptor) {
    int number = 3;
    for (auto& [used, unused] : descriptors_) {
        if (used != number) break;
        ++number;
    }
    descriptors_.emplace(number, descriptor);
    return number;
}

int Machine::open(Operation& operation) {
    if (int(descriptors_.size()) >= options_.descriptors_max) return -EMFILE;
    NodeId node = 0;
    if (int error = disk_.open(operation.path, operation.flags, clock_.wall(), node)) return error;
    return new_descriptor({Descriptor::Kind::file, node, operation.flags});
}

int Machine::close(int file, uint32_t in_flight) {
    auto found = descriptors_.find(file);
    if (found == descriptors_.end()) return -EBADF;
    // What is still in flight would act on whoever gets the number next.
    ASSERT(found->second.in_flight == in_flight);
    if (found->second.kind == Descriptor::Kind::socket) {
        network_.close(found->second.target, clock_.now());
    } else {
        locks_.erase(found->second.target);  // As fcntl locks go: with any descriptor of the file.
    }
    descriptors_.erase(found);
    return 0;
}

bool Machine::misaligned(const Pending& pending) const {
    auto alignment = options_.disk.direct_alignment;
    if (!(pending.file_flags & flag::direct) || alignment == 0) return false;
    auto& operation = *pending.operation;
    if (operation.position % alignment != 0) return true;
    return std::any_of(operation.buffers.begin(), operation.buffers.end(), [&](const iovec& buffer) {
        return reinterpret_cast<uintptr_t>(buffer.iov_base) % alignment != 0 || buffer.iov_len % alignment != 0;
    });
}

size_t Machine::shortened(const Pending& pending, size_t bytes) {
    auto unit = (pending.file_flags & flag::direct) ? std::max(options_.disk.direct_alignment, 1u) : 1u;
    if (bytes <= unit || !fault_chance_.chance(faults.short_transfer)) return bytes;
    return fault_chance_.between(1, bytes / unit) * unit;
}

int Machine::read(Pending& pending) {
    auto& operation = *pending.operation;
    if (operation.buffers.size() > buffers_max || misaligned(pending)) return -EINVAL;
    return disk_.read(pending.target, operation.position, operation.buffers, shortened(pending, size_of(operation.buffers)));
}

int Machine::write(Pending& pending) {
    auto& operation = *pending.operation;
    if (operation.buffers.size() > buffers_max || misaligned(pending)) return -EINVAL;
    auto bytes = pending.has_data ? std::move(pending.data) : gather(operation.buffers);
    auto n = shortened(pending, bytes.size());
    return disk_.write(pending.target, operation.position, Bytes(bytes).first(n),
                       (operation.flags & flag::durable) && !options_.durable_writes_lie, clock_.wall());
}

std::optional<int> Machine::act_on_socket(Ticket ticket, Pending& pending, Instant& retry) {
    auto& operation = *pending.operation;
    auto now = clock_.now();
    SocketId socket = 0;
    std::optional<int> result;
    switch (operation.code) {
    case Code::listen: result = network_.listen(*operation.address, operation.flags & flag::share_port, socket); break;
    case Code::accept: result = network_.accept(pending.target, ticket, operation.address, socket); break;
    case Code::connect: result = network_.connect(*operation.address, now, socket); break;
    case Code::receive:
        return network_.receive(pending.target, ticket, operation.buffers, operation.flags & flag::all, pending.progress,
                                now, retry);
    case Code::send: return network_.send(pending.target, ticket, operation.buffers, now);
    case Code::shutdown: return network_.shutdown(pending.target, now);
    default: UNREACHABLE();
    }
    if (result != 0) return result;
    return new_descriptor({Descriptor::Kind::socket, socket, 0});
}

Disk Machine::photograph(const CrashChoice& choice, Random& random) const {
    Disk image = disk_;
    for (auto& [ticket, pending] : pending_) {
        auto& operation = *pending.operation;
        if (is_of_sockets(operation.code) || pending.descriptor_error) continue;
        bool writes = pending.file_flags & flag::write;
        if (operation.code == Code::write && writes) {
            auto bytes = pending.has_data ? pending.data : gather(operation.buffers);
            image.write_in_flight(pending.target, operation.position, bytes);
            continue;
        }
        bool happened = choice.directories == Keep::all || (choice.directories == Keep::some && random.chance(0.5));
        if (!happened) continue;
        auto wall = clock_.wall();
        NodeId node = 0;
        switch (operation.code) {
        case Code::open: image.open(operation.path, operation.flags, wall, node); break;
        case Code::allocate: if (writes) image.allocate(pending.target, operation.position, operation.length, wall); break;
        case Code::truncate: if (writes) image.truncate(pending.target, operation.length, wall); break;
        case Code::rename: image.rename(operation.path, operation.other_path); break;
        case Code::remove: image.remove(operation.path); break;
        case Code::make_directory: image.make_directory(operation.path, wall); break;
        default: break;
        }
    }
    image.crash(choice, random);
    return image;
}

void Sim::submit(Operation& operation) { machine_.submit(*this, operation); }

void Sim::cancel(Operation& operation) { machine_.cancel(operation); }

Operation* Sim::poll(Instant until) {
    auto& clock = machine_.clock_;
    Operation* first = nullptr;
    Operation** last = &first;
    for (;;) {
        // Sometimes not all that is due comes at once, so that what it wakes runs in between.
        auto count_max = machine_.chance_.chance(0.3) ? 1 : SIZE_MAX;
        for (size_t count = 0; count < count_max && next_due() <= clock.now();) {
            auto ticket = due_.begin()->second;
            auto* operation = machine_.pending_.at(ticket).operation;
            if (!machine_.attempt(ticket)) continue;
            operation->next = nullptr;
            *last = operation;
            last = &operation->next;
            ++count;
        }
        if (first != nullptr || std::exchange(woken_, false) || until <= clock.now()) return first;
        // A loop that sleeps: only possible alone, since others would have to be asked for their time.
        ASSERT(machine_.ios_.size() == 1);
        auto to = std::min(until, next_due());
        ASSERT(to != never);  // Nothing is on its way and nothing is due: it would sleep for ever.
        clock.advance_to(std::max(to, clock.now()));
    }
}

}  // namespace rafka::sim
