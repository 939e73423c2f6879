#pragma once

// The simulated disk: a tree of files and directories, each with what is cached (what everybody reads) and what is
// durable (what a crash cannot take). Every call is the effect of one operation that completes, and returns what the
// kernel would: a count or -errno. What lies between the two layers is remembered by sector, with every version since
// the durable one, so that a crash may choose each sector by itself.
//
//   write            cached                      write, durable     cached and durable, with the size it needs
//   sync             durable: what had completed when the sync was submitted
//   create, rename, remove, make_directory: an entry in the directory's log of changes, durable by a sync of the
//   directory; a crash keeps any prefix of that log

#include "sim/random.hpp"

#include <rafka/bytes.hpp>
#include <rafka/io.hpp>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rafka::sim {

using NodeId = uint64_t;  // Of a file or directory; 0 is none.

struct DiskOptions {
    uint32_t sector_size = 512;        // What a crash keeps or loses as one: 512 or 4096.
    uint32_t direct_alignment = 4096;  // 0: the file system takes no O_DIRECT.
    uint64_t space_bytes = 1ull << 30;
    bool allocates = true;             // The file system knows fallocate.
    DiskOptions() {}
};

// What survives of what was not durable.
enum class Keep : uint8_t {
    none,
    all,
    some,  // Each sector, size and prefix of changes by chance; sometimes all or none of a file's.
};

struct CrashChoice {
    Keep data = Keep::some;
    Keep sizes = Keep::some;
    Keep directories = Keep::some;
    // Sectors of writes in flight may hold garbage where the file had no durable bytes at or after them.
    bool garbage = false;
    CrashChoice() {}
    CrashChoice(Keep data, Keep sizes, Keep directories) : data(data), sizes(sizes), directories(directories) {}
};

class Disk {
public:
    explicit Disk(const DiskOptions& options = DiskOptions());

    // Where space runs out a write does what fits, as on Linux, and -ENOSPC if nothing does.
    // Returns 0 and the node, or -errno.
    int open(std::string_view path, uint32_t flags, Timestamp now, NodeId& node);
    int read(NodeId node, uint64_t position, std::span<const iovec> buffers, size_t bytes_max) const;
    int write(NodeId node, uint64_t position, Bytes bytes, bool durable, Timestamp now);
    // As a write that a crash interrupts: its sectors are candidates, nothing of it is durable.
    void write_in_flight(NodeId node, uint64_t position, Bytes bytes);
    // As a write that failed: each of its sectors is untouched, cached or durable.
    void write_failed(NodeId node, uint64_t position, Bytes bytes, Random& random);
    // Of a file or a directory: durable up to `sequence`, which is what sequence() was when the sync was submitted.
    void sync(NodeId node, uint64_t sequence);
    // What was not durable may have become so; the rest stays readable and is never written again (as Linux does it:
    // the pages are clean now, and the next sync succeeds).
    void sync_failed(NodeId node, uint64_t sequence, Random& random);
    int allocate(NodeId node, uint64_t position, uint64_t length, Timestamp now);
    int truncate(NodeId node, uint64_t length, Timestamp now);
    int rename(std::string_view from, std::string_view to);
    int remove(std::string_view path);
    int make_directory(std::string_view path, Timestamp now);
    int list(std::string_view path, std::vector<DirectoryEntry>& out) const;
    int status(NodeId node, FileStatus& out) const;
    FileSystemSpace space() const;

    NodeId find(std::string_view path) const;  // 0: nothing there.
    bool is_directory(NodeId node) const { return at(node).is_directory; }
    uint64_t size(NodeId node) const { return at(node).cached.size(); }
    const std::string& name(NodeId node) const { return at(node).name; }
    const DiskOptions& options() const { return options_; }
    // Space is lost (or comes back): somebody else's files.
    void set_space(uint64_t bytes) { options_.space_bytes = bytes; }

    // Grows with every effect.
    uint64_t sequence() const { return sequence_; }
    uint64_t written_bytes_not_durable() const;

    // Loses what the choice does not keep; the rest is then durable. The disk after a crash and a restart.
    void crash(const CrashChoice& choice, Random& random);

    // For tests: the cached content. Requires that it exists.
    std::string content(std::string_view path) const;
    // Every file and directory with its content, as text to compare.
    std::map<std::string, std::string> tree() const;
    // Overwrites the durable and the cached content, as a bad disk or a careless person would.
    void replace(std::string_view path, std::string_view content);

private:
    struct Version {
        uint64_t sequence;
        std::vector<std::byte> bytes;  // One sector.
    };
    struct SizeVersion {
        uint64_t sequence;
        uint64_t size;
    };
    // A rename within a directory is one change, so that no crash sees half of it.
    struct Change {
        uint64_t sequence;
        std::string gone;  // Empty: none.
        std::string name;  // Empty: none.
        NodeId node;       // Of name.
    };
    struct Node {
        bool is_directory = false;
        bool linked = true;  // Some directory has it; only then its space counts.
        std::string name;
        Timestamp modified;
        std::vector<std::byte> cached;
        std::vector<std::byte> durable;  // Bytes beyond its end are zeros.
        uint64_t durable_size = 0;
        std::map<uint64_t, std::vector<Version>> versions;  // By sector, oldest first, all after the durable one.
        std::vector<SizeVersion> sizes;
        std::set<uint64_t> in_flight;  // Sectors that may become garbage.
        std::map<std::string, NodeId> entries;
        std::map<std::string, NodeId> durable_entries;
        std::vector<Change> changes;
    };
    struct Place {
        NodeId directory = 0;
        std::string name;
    };

    Node& at(NodeId node) { return nodes_.at(node); }
    const Node& at(NodeId node) const { return nodes_.at(node); }
    int place_of(std::string_view path, Place& place) const;
    NodeId add(const Place& place, bool is_directory, Timestamp now);
    void change(NodeId directory, std::string gone, std::string name, NodeId node);
    void unlink(Node& node);
    void resize(Node& node, uint64_t size);
    void put(Node& node, uint64_t position, Bytes bytes);
    void remember(Node& node, uint64_t sector);
    void harden(Node& node, uint64_t sector, Bytes bytes);
    std::vector<std::byte> sector_of(const Node& node, uint64_t sector) const;
    uint64_t durable_data_end(const Node& node) const;
    uint64_t blocks(uint64_t size) const { return (size + 4095) / 4096 * 4096; }
    void crash_file(Node& node, const CrashChoice& choice, Random& random);
    void crash_directory(Node& node, const CrashChoice& choice, Random& random);
    void forget_unreachable();
    void list_tree(NodeId node, const std::string& path, std::map<std::string, std::string>& out) const;

    DiskOptions options_;
    std::map<NodeId, Node> nodes_;
    NodeId last_node_ = 0;
    uint64_t sequence_ = 0;
    uint64_t used_bytes_ = 0;
};

}  // namespace rafka::sim
