#include "sim/disk.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace rafka::sim {
namespace {

constexpr NodeId root = 1;

void apply(std::map<std::string, NodeId>& entries, const std::string& gone, const std::string& name, NodeId node) {
    if (!gone.empty()) entries.erase(gone);
    if (!name.empty()) entries[name] = node;
}

bool all_zero(Bytes bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

Disk::Disk(const DiskOptions& options) : options_(options) {
    ASSERT(options.sector_size >= 512 && options.direct_alignment % 512 == 0);
    nodes_[root].is_directory = true;
    last_node_ = root;
}

int Disk::place_of(std::string_view path, Place& place) const {
    place = {root, ""};
    while (!path.empty()) {
        auto part = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(path.size(), part.size() + 1));
        if (part.empty() || part == ".") continue;
        if (part.size() > 255) return -ENAMETOOLONG;
        if (!place.name.empty()) {
            auto& entries = at(place.directory).entries;
            auto found = entries.find(place.name);
            if (found == entries.end()) return -ENOENT;
            if (!at(found->second).is_directory) return -ENOTDIR;
            place.directory = found->second;
        }
        place.name = part;
    }
    return 0;
}

NodeId Disk::find(std::string_view path) const {
    Place place;
    if (place_of(path, place) != 0) return 0;
    if (place.name.empty()) return root;
    auto& entries = at(place.directory).entries;
    auto found = entries.find(place.name);
    return found == entries.end() ? 0 : found->second;
}

void Disk::change(NodeId directory, std::string gone, std::string name, NodeId node) {
    auto& where = at(directory);
    apply(where.entries, gone, name, node);
    where.changes.push_back({++sequence_, std::move(gone), std::move(name), node});
}

NodeId Disk::add(const Place& place, bool is_directory, Timestamp now) {
    auto id = ++last_node_;
    auto& node = nodes_[id];
    node.is_directory = is_directory;
    node.name = place.name;
    node.modified = now;
    change(place.directory, "", place.name, id);
    return id;
}

int Disk::open(std::string_view path, uint32_t flags, Timestamp now, NodeId& node) {
    if ((flags & flag::direct) && options_.direct_alignment == 0) return -EINVAL;
    Place place;
    if (int error = place_of(path, place)) return error;
    node = find(path);
    if (node == 0) {
        if (!(flags & flag::create)) return -ENOENT;
        node = add(place, false, now);
        return 0;
    }
    if ((flags & flag::create) && (flags & flag::exclusive)) return -EEXIST;
    if (at(node).is_directory && (flags & (flag::write | flag::create))) return -EISDIR;
    if (!at(node).is_directory && (flags & flag::directory)) return -ENOTDIR;
    if (flags & flag::truncate) truncate(node, 0, now);
    return 0;
}

int Disk::read(NodeId id, uint64_t position, std::span<const iovec> buffers, size_t bytes_max) const {
    auto& node = at(id);
    if (node.is_directory) return -EISDIR;
    size_t done = 0;
    for (auto& buffer : buffers) {
        if (position + done >= node.cached.size()) break;
        auto n = std::min({buffer.iov_len, size_t(node.cached.size() - position - done), bytes_max - done});
        if (n > 0) std::memcpy(buffer.iov_base, node.cached.data() + position + done, n);
        done += n;
        if (n < buffer.iov_len) break;
    }
    return int(done);
}

std::vector<std::byte> Disk::sector_of(const Node& node, uint64_t sector) const {
    std::vector<std::byte> bytes(options_.sector_size);
    auto begin = std::min<uint64_t>(sector * options_.sector_size, node.cached.size());
    auto end = std::min<uint64_t>(begin + options_.sector_size, node.cached.size());
    std::copy(node.cached.begin() + int64_t(begin), node.cached.begin() + int64_t(end), bytes.begin());
    return bytes;
}

void Disk::remember(Node& node, uint64_t sector) {
    node.versions[sector].push_back({sequence_, sector_of(node, sector)});
}

void Disk::harden(Node& node, uint64_t sector, Bytes bytes) {
    auto begin = sector * options_.sector_size;
    if (node.durable.size() < begin + bytes.size()) node.durable.resize(begin + bytes.size());
    std::copy(bytes.begin(), bytes.end(), node.durable.begin() + int64_t(begin));
}

void Disk::unlink(Node& node) {
    used_bytes_ -= blocks(node.cached.size());
    node.linked = false;
}

void Disk::resize(Node& node, uint64_t size) {
    auto old = uint64_t(node.cached.size());
    if (size == old) return;
    ++sequence_;
    if (node.linked) used_bytes_ += blocks(size) - blocks(old);
    if (size < old) {
        // What is cut off reads as zeros if the file grows again, durably so only after a sync.
        std::fill(node.cached.begin() + int64_t(size), node.cached.end(), std::byte{0});
        for (auto s = size / options_.sector_size; s * options_.sector_size < old; ++s) {
            auto begin = s * options_.sector_size;
            auto end = std::min<uint64_t>(begin + options_.sector_size, node.durable.size());
            bool touched = node.versions.contains(s) ||
                           (begin < end && !all_zero(Bytes(node.durable).subspan(begin, end - begin)));
            if (touched) remember(node, s);
        }
    }
    node.cached.resize(size);
    node.sizes.push_back({sequence_, size});
}

void Disk::put(Node& node, uint64_t position, Bytes bytes) {
    if (position + bytes.size() > node.cached.size()) resize(node, position + bytes.size());
    std::copy(bytes.begin(), bytes.end(), node.cached.begin() + int64_t(position));
    ++sequence_;
}

int Disk::write(NodeId id, uint64_t position, Bytes bytes, bool durable, Timestamp now) {
    auto& node = at(id);
    if (node.is_directory) return -EISDIR;
    if (bytes.empty()) return 0;
    auto end = position + bytes.size();
    if (end > node.cached.size()) {
        auto free = options_.space_bytes - std::min(options_.space_bytes, used_bytes_);
        auto fits = blocks(node.cached.size()) + free / 4096 * 4096;
        if (fits <= position) return -ENOSPC;
        end = std::min(end, fits);
        bytes = bytes.first(end - position);
    }
    put(node, position, bytes);
    node.modified = now;
    for (auto s = position / options_.sector_size; s * options_.sector_size < end; ++s) {
        if (durable) {
            harden(node, s, sector_of(node, s));
            node.versions.erase(s);
        } else {
            remember(node, s);
        }
    }
    bool may_end_before = end > node.durable_size ||
                          std::any_of(node.sizes.begin(), node.sizes.end(), [&](auto& version) { return version.size < end; });
    if (durable && may_end_before) {
        // An inode has one size: making enough of it durable makes all earlier changes of it so.
        node.durable_size = node.cached.size();
        node.sizes.clear();
    }
    return int(bytes.size());
}

void Disk::write_in_flight(NodeId id, uint64_t position, Bytes bytes) {
    auto& node = at(id);
    if (write(id, position, bytes, false, node.modified) < 0) return;
    for (auto s = position / options_.sector_size; s * options_.sector_size < position + bytes.size(); ++s) {
        node.in_flight.insert(s);
    }
}

void Disk::write_failed(NodeId id, uint64_t position, Bytes bytes, Random& random) {
    auto end = position + bytes.size();
    while (position < end) {
        auto n = std::min<uint64_t>(options_.sector_size - position % options_.sector_size, end - position);
        auto fate = random.below(3);
        if (fate > 0) write(id, position, bytes.subspan(bytes.size() - (end - position), n), fate == 2, at(id).modified);
        position += n;
    }
}

void Disk::sync(NodeId id, uint64_t sequence) {
    auto& node = at(id);
    for (auto it = node.versions.begin(); it != node.versions.end();) {
        auto& versions = it->second;
        size_t n = 0;
        while (n < versions.size() && versions[n].sequence <= sequence) ++n;
        if (n > 0) harden(node, it->first, versions[n - 1].bytes);
        versions.erase(versions.begin(), versions.begin() + int64_t(n));
        it = versions.empty() ? node.versions.erase(it) : std::next(it);
    }
    while (!node.sizes.empty() && node.sizes.front().sequence <= sequence) {
        node.durable_size = node.sizes.front().size;
        node.sizes.erase(node.sizes.begin());
    }
    while (!node.changes.empty() && node.changes.front().sequence <= sequence) {
        auto& done = node.changes.front();
        apply(node.durable_entries, done.gone, done.name, done.node);
        node.changes.erase(node.changes.begin());
    }
}

void Disk::sync_failed(NodeId id, uint64_t sequence, Random& random) {
    auto& node = at(id);
    for (auto it = node.versions.begin(); it != node.versions.end();) {
        auto& versions = it->second;
        size_t n = 0;
        while (n < versions.size() && versions[n].sequence <= sequence) ++n;
        if (n > 0 && random.chance(0.5)) harden(node, it->first, versions[random.below(n)].bytes);
        versions.erase(versions.begin(), versions.begin() + int64_t(n));
        it = versions.empty() ? node.versions.erase(it) : std::next(it);
    }
    auto changes = random.below(node.changes.size() + 1);
    if (changes > 0) sync(id, std::min(sequence, node.changes[changes - 1].sequence));
}

int Disk::allocate(NodeId id, uint64_t position, uint64_t length, Timestamp now) {
    auto& node = at(id);
    if (node.is_directory) return -EISDIR;
    if (length == 0) return -EINVAL;
    if (!options_.allocates) return -EOPNOTSUPP;
    auto end = position + length;
    if (end <= node.cached.size()) return 0;
    if (used_bytes_ + blocks(end) - blocks(node.cached.size()) > options_.space_bytes) return -ENOSPC;
    resize(node, end);
    node.modified = now;
    return 0;
}

int Disk::truncate(NodeId id, uint64_t length, Timestamp now) {
    auto& node = at(id);
    if (node.is_directory) return -EISDIR;
    resize(node, length);
    node.modified = now;
    return 0;
}

int Disk::rename(std::string_view from, std::string_view to) {
    Place source, target;
    if (int error = place_of(from, source)) return error;
    if (int error = place_of(to, target)) return error;
    auto node = find(from);
    if (node == 0) return -ENOENT;
    if (source.name.empty() || target.name.empty()) return -EBUSY;
    if (auto there = find(to); there == source.directory) {
        return -ENOTEMPTY;
    } else if (there == node) {
        return 0;
    } else if (there != 0) {
        if (at(there).is_directory && !at(node).is_directory) return -EISDIR;
        if (!at(there).is_directory && at(node).is_directory) return -ENOTDIR;
        if (!at(there).entries.empty()) return -ENOTEMPTY;
        unlink(at(there));
    }
    if (source.directory == target.directory) {
        change(source.directory, source.name, target.name, node);
    } else {
        change(target.directory, "", target.name, node);
        change(source.directory, source.name, "", 0);
    }
    at(node).name = target.name;
    return 0;
}

int Disk::remove(std::string_view path) {
    Place place;
    if (int error = place_of(path, place)) return error;
    auto node = find(path);
    if (node == 0) return -ENOENT;
    if (place.name.empty()) return -EBUSY;
    if (!at(node).entries.empty()) return -ENOTEMPTY;
    unlink(at(node));
    change(place.directory, place.name, "", 0);
    return 0;
}

int Disk::make_directory(std::string_view path, Timestamp now) {
    Place place;
    if (int error = place_of(path, place)) return error;
    if (find(path) != 0) return -EEXIST;
    add(place, true, now);
    return 0;
}

int Disk::list(std::string_view path, std::vector<DirectoryEntry>& out) const {
    auto node = find(path);
    if (node == 0) return -ENOENT;
    if (!at(node).is_directory) return -ENOTDIR;
    for (auto& [name, entry] : at(node).entries) out.push_back({name, at(entry).is_directory});
    return 0;
}

int Disk::status(NodeId id, FileStatus& out) const {
    auto& node = at(id);
    out.size = node.cached.size();
    out.allocated_bytes = blocks(node.cached.size());
    out.modified = node.modified;
    out.is_directory = node.is_directory;
    out.direct_memory_alignment = out.direct_offset_alignment = options_.direct_alignment;
    return 0;
}

FileSystemSpace Disk::space() const {
    return {options_.space_bytes, options_.space_bytes - std::min(used_bytes_, options_.space_bytes)};
}

uint64_t Disk::written_bytes_not_durable() const {
    uint64_t sectors = 0;
    for (auto& [id, node] : nodes_) sectors += node.versions.size();
    return sectors * options_.sector_size;
}

uint64_t Disk::durable_data_end(const Node& node) const {
    auto end = node.durable.size();
    while (end > 0 && node.durable[end - 1] == std::byte{0}) --end;
    return end;
}

void Disk::crash_file(Node& node, const CrashChoice& choice, Random& random) {
    auto data = choice.data;
    if (data == Keep::some && random.chance(0.3)) data = random.chance(0.5) ? Keep::all : Keep::none;
    auto data_end = durable_data_end(node);
    for (auto& [sector, versions] : node.versions) {
        if (choice.garbage && node.in_flight.contains(sector) && sector * options_.sector_size >= data_end &&
            random.chance(0.2)) {
            std::vector<std::byte> garbage(options_.sector_size);
            for (auto& byte : garbage) byte = std::byte(random.next());
            harden(node, sector, garbage);
            continue;
        }
        size_t kept = data == Keep::none ? 0 : data == Keep::all ? versions.size() : random.below(versions.size() + 1);
        if (kept > 0) harden(node, sector, versions[kept - 1].bytes);
    }
    size_t sizes = node.sizes.size();
    size_t kept = choice.sizes == Keep::none ? 0 : choice.sizes == Keep::all ? sizes : random.below(sizes + 1);
    if (kept > 0) node.durable_size = node.sizes[kept - 1].size;

    // Beyond the end there is nothing any more, whatever the sectors held.
    node.durable.resize(node.durable_size);
    node.cached = node.durable;
    node.versions.clear();
    node.sizes.clear();
    node.in_flight.clear();
}

void Disk::crash_directory(Node& node, const CrashChoice& choice, Random& random) {
    size_t all = node.changes.size();
    size_t kept = choice.directories == Keep::none ? 0 : choice.directories == Keep::all ? all : random.below(all + 1);
    for (size_t i = 0; i < kept; ++i) {
        auto& done = node.changes[i];
        apply(node.durable_entries, done.gone, done.name, done.node);
    }
    node.entries = node.durable_entries;
    node.changes.clear();
}

void Disk::crash(const CrashChoice& choice, Random& random) {
    for (auto& [id, node] : nodes_) {
        if (node.is_directory) crash_directory(node, choice, random);
        else crash_file(node, choice, random);
    }
    forget_unreachable();
}

void Disk::forget_unreachable() {
    std::set<NodeId> reached;
    std::vector<NodeId> todo{root};
    while (!todo.empty()) {
        auto id = todo.back();
        todo.pop_back();
        if (!reached.insert(id).second) continue;
        for (auto& [name, node] : at(id).entries) {
            at(node).name = name;
            todo.push_back(node);
        }
    }
    used_bytes_ = 0;
    for (auto it = nodes_.begin(); it != nodes_.end();) {
        if (reached.contains(it->first)) used_bytes_ += blocks(it->second.cached.size());
        it = reached.contains(it->first) ? std::next(it) : nodes_.erase(it);
    }
}

std::string Disk::content(std::string_view path) const {
    auto node = find(path);
    ASSERT(node != 0);
    auto& bytes = at(node).cached;
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void Disk::list_tree(NodeId id, const std::string& path, std::map<std::string, std::string>& out) const {
    for (auto& [name, entry] : at(id).entries) {
        auto& node = at(entry);
        auto& text = out[path + "/" + name];
        if (node.is_directory) {
            text = "(directory)";
            list_tree(entry, path + "/" + name, out);
        } else {
            text.assign(reinterpret_cast<const char*>(node.cached.data()), node.cached.size());
        }
    }
}

std::map<std::string, std::string> Disk::tree() const {
    std::map<std::string, std::string> out;
    list_tree(root, "", out);
    return out;
}

void Disk::replace(std::string_view path, std::string_view content) {
    auto id = find(path);
    ASSERT(id != 0);
    truncate(id, 0, at(id).modified);
    auto written = write(id, 0, as_bytes(content), false, at(id).modified);
    ASSERT(written == int(content.size()));
    sync(id, sequence_);
}

}  // namespace rafka::sim
