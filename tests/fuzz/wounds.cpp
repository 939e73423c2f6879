#include "fuzz/wounds.hpp"

#include "base/hash.hpp"

#include <rafka/record_batch.hpp>

#include <array>
#include <iterator>
#include <limits>
#include <span>

namespace rafka::fuzz {
namespace {

constexpr size_t wounds_max = 24;
constexpr size_t file_bytes_max = 1 << 16;

enum class Kind : uint8_t {
    truncate, flip, overwrite, zeros, extend, remove, replace, exchange, rename, repair, number, text_number, add_batch, count
};

// What a number in a file should better not be.
constexpr std::array<int64_t, 12> edges{
    0, 1, -1, -2, 60, std::numeric_limits<int16_t>::max(), std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min(),
    int64_t(std::numeric_limits<int32_t>::max()) + 1, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max() - 1,
    std::numeric_limits<int64_t>::min()};

// Where a file of the log directory may stand as another.
constexpr std::array<std::string_view, 10> endings{".swap", ".cleaned", ".deleted", ".log", ".index", ".timeindex", ".snapshot",
                                                   ".txnindex", ".checkpoint", ".tmp"};

class Surgeon {
public:
    Surgeon(Tree& tree, Input& input) : tree_(tree), input_(input) {}

    void next() {
        if (tree_.empty()) return;
        auto kind = Kind(input_.choice(size_t(Kind::count)));
        auto file = std::next(tree_.begin(), ptrdiff_t(input_.choice(tree_.size())));
        auto& [path, content] = *file;
        auto position = content.empty() ? 0 : input_.number<uint16_t>() % content.size();
        switch (kind) {
        case Kind::truncate:
            content.resize(position);
            break;
        case Kind::flip:
            if (content.empty()) return;
            content[position] = char(content[position] ^ char(std::max<uint8_t>(1, input_.byte())));
            break;
        case Kind::overwrite:
            put(content, position, std::string(as_text(input_.take(input_.byte()))));
            break;
        case Kind::zeros:
            put(content, position, std::string(input_.byte(), '\0'));
            break;
        case Kind::extend:
            position = content.size();
            put(content, position, std::string(size_t(input_.byte()) * 16, '\0'));
            break;
        case Kind::remove:
            wounds_.touch(path, 0);
            tree_.erase(file);
            return;
        case Kind::replace:
            position = 0;
            content = std::string(as_text(input_.take(input_.byte())));
            break;
        case Kind::exchange: {
            auto other = std::next(tree_.begin(), ptrdiff_t(input_.choice(tree_.size())));
            content = std::string(other->second);
            position = 0;
            break;
        }
        case Kind::rename: return rename(path, content);
        case Kind::repair:
            position = repair(path, content, position);
            break;
        case Kind::number: {
            auto value = edges[input_.choice(edges.size())];
            std::array<std::byte, 8> bytes{};
            store_be(bytes.data(), value);
            auto size = size_t(1) << input_.choice(4);
            put(content, position, std::string(as_text(Bytes(bytes).last(size))));
            break;
        }
        case Kind::text_number: {
            auto begin = content.find_first_of("-0123456789", position);
            if (begin == content.npos) return;
            auto end = std::min(content.find_first_not_of("-0123456789", begin), content.size());
            content.replace(begin, end - begin, std::to_string(edges[input_.choice(edges.size())]));
            position = begin;
            break;
        }
        case Kind::add_batch:
            position = add_batch(content);
            break;
        case Kind::count: return;
        }
        wounds_.touch(path, position);
    }
    Wounds wounds() && { return std::move(wounds_); }

private:
    static void put(std::string& content, size_t position, const std::string& bytes) {
        auto size = std::max(content.size(), position + bytes.size());
        if (size > file_bytes_max) return;
        content.resize(size);
        content.replace(position, bytes.size(), bytes);
    }

    // A copy under another name: of another state of the replacement protocol, of another offset.
    void rename(const std::string& path, const std::string& content) {
        auto ending = endings[input_.choice(endings.size())];
        auto offset = input_.byte();
        auto slash = path.rfind('/') + 1;
        auto dot = path.find('.', slash);
        auto name = path;
        if (offset > 0 && dot != path.npos) {
            auto digits = std::to_string(offset);
            name = path.substr(0, slash) + std::string(20 - digits.size(), '0') + digits + path.substr(dot);
        }
        if (ending == ".swap" || ending == ".cleaned" || ending == ".deleted") name += ending;
        else name = name.substr(0, name.find('.', slash)) + std::string(ending);
        wounds_.touch(name, 0);
        auto copy = content;
        tree_[name] = std::move(copy);
    }

    // Makes the checksum fit what is there: of a snapshot, or of the batch at or before the position.
    static size_t repair(std::string_view path, std::string& content, size_t position) {
        std::span<std::byte> bytes{reinterpret_cast<std::byte*>(content.data()), content.size()};
        if (path.ends_with(".snapshot")) {
            constexpr size_t crc_at = 2, crc_covers_from = 6;
            if (bytes.size() >= crc_covers_from) store_be(bytes.data() + crc_at, crc32c(bytes.subspan(crc_covers_from)));
            return 0;
        }
        for (size_t at = 0; bytes.size() - at >= batch_header_size;) {
            auto length = load_be<int32_t>(bytes.data() + at + batch_at::length);
            if (length < int32_t(batch_header_size - batch_size_prefix)) break;
            auto size = size_t(length) + batch_size_prefix;
            if (size > bytes.size() - at) break;
            if (at + size > position) {
                update_crc(bytes.subspan(at, size));
                return at;
            }
            at += size;
        }
        return content.size();
    }

    // A whole batch, right but for what its header says: at the end of the batches that are there.
    size_t add_batch(std::string& content) {
        BatchBuilder::Options options;
        options.base_offset = Offset{input_.byte() < 128 ? int64_t(input_.byte()) : edges[input_.choice(edges.size())]};
        options.leader_epoch = LeaderEpoch(edges[input_.choice(edges.size())]);
        options.codec = Codec(input_.choice(5));
        auto flags = input_.byte();
        options.log_append_time = flags & 1;
        options.transactional = flags & 2;
        options.control = flags & 4;
        options.producer_id = input_.number<int8_t>();
        options.producer_epoch = input_.number<int8_t>();
        options.base_sequence = int32_t(edges[input_.choice(edges.size())]);
        BatchBuilder builder(options);
        auto key = input_.take(flags & 8 ? 4 : 0);
        auto value = input_.take(input_.choice(64));
        builder.add(Timestamp{edges[input_.choice(edges.size())]}, key, value);
        auto batch = builder.build();
        size_t at = 0;
        Bytes rest = as_bytes(content);
        for (auto next = BatchView::frame(rest); next; next = BatchView::frame(rest.subspan(at))) at += next->size();
        put(content, at, std::string(as_text(batch)));
        return at;
    }

    Tree& tree_;
    Input& input_;
    Wounds wounds_;
};

}  // namespace

Wounds wound(Tree& tree, Input& input) {
    Surgeon surgeon(tree, input);
    for (size_t i = 0; i < wounds_max && !input.empty(); ++i) surgeon.next();
    return std::move(surgeon).wounds();
}

}  // namespace rafka::fuzz
