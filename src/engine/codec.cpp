#include "engine/codec_stream.hpp"

#include "base/endian.hpp"

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>

namespace rafka {
namespace {

using engine::Decoder;
using engine::Encoder;

// Codec contexts are costly to make, so each thread keeps one of a kind, unless it has grown large.
template <class Context>
class Reused {
public:
    Reused() : context_(spare_ ? std::move(spare_) : std::make_unique<Context>()) {}
    ~Reused() {
        if (context_ && context_->is_small()) spare_ = std::move(context_);
    }
    Reused(const Reused&) = delete;
    Reused& operator=(const Reused&) = delete;
    Context& operator*() { return *context_; }
    Context* operator->() { return context_.get(); }

private:
    inline static thread_local std::unique_ptr<Context> spare_;
    std::unique_ptr<Context> context_;
};

constexpr size_t small_context_bytes = 1u << 20;
constexpr size_t piece_bytes = 64u << 10;

std::byte* grow(std::vector<std::byte>& out, size_t by) {
    auto old = out.size();
    out.resize(old + by);
    return out.data() + old;
}

// gzip -----------------------------------------------------------------------------------------------------------------

constexpr int gzip_window_bits = 15 + 16;  // 16: gzip's frame instead of zlib's.

struct Inflate {
    z_stream stream{};
    bool ok = inflateInit2(&stream, gzip_window_bits) == Z_OK;
    ~Inflate() { if (ok) inflateEnd(&stream); }
    bool is_small() const { return ok; }
};

class GzipDecoder final : public Decoder {
public:
    explicit GzipDecoder(Bytes in) : rest_(in) { ok_ = inflate_->ok && inflateReset(&inflate_->stream) == Z_OK; }

    Result<size_t> read(MutableBytes out) override {
        if (!ok_) return fail(Errc::no_memory);
        auto& stream = inflate_->stream;
        size_t done = 0;
        while (done < out.size() && !(member_ended_ && rest_.empty())) {
            if (member_ended_) {  // A gzip file may be several in a row.
                inflateReset(&stream);
                member_ended_ = false;
            }
            auto in_size = std::min(rest_.size(), size_t(INT_MAX));
            auto out_size = std::min(out.size() - done, size_t(INT_MAX));
            stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(rest_.data()));
            stream.avail_in = uInt(in_size);
            stream.next_out = reinterpret_cast<Bytef*>(out.data() + done);
            stream.avail_out = uInt(out_size);
            auto state = inflate(&stream, Z_NO_FLUSH);
            auto consumed = in_size - stream.avail_in;
            auto produced = out_size - stream.avail_out;
            rest_ = rest_.subspan(consumed);
            done += produced;
            if (state == Z_STREAM_END) member_ended_ = true;
            else if (state != Z_OK || (consumed == 0 && produced == 0)) return fail(Errc::malformed);
        }
        return done;
    }

private:
    Reused<Inflate> inflate_;
    Bytes rest_;
    bool ok_ = false;
    bool member_ended_ = false;
};

class GzipEncoder final : public Encoder {
public:
    GzipEncoder(std::vector<std::byte>& out, int level) : out_(out) {
        constexpr int memory_level = 8;
        ok_ = deflateInit2(&stream_, level, Z_DEFLATED, gzip_window_bits, memory_level, Z_DEFAULT_STRATEGY) == Z_OK;
    }
    ~GzipEncoder() override { if (ok_) deflateEnd(&stream_); }

    bool ok() const { return ok_; }
    Result<> write(Bytes in) override { return run(in, Z_NO_FLUSH); }
    Result<> finish() override { return run({}, Z_FINISH); }

private:
    Result<> run(Bytes in, int flush) {
        do {
            auto part = in.first(std::min(in.size(), size_t(INT_MAX)));
            in = in.subspan(part.size());
            stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(part.data()));
            stream_.avail_in = uInt(part.size());
            do {
                stream_.next_out = reinterpret_cast<Bytef*>(grow(out_, piece_bytes));
                stream_.avail_out = uInt(piece_bytes);
                auto state = deflate(&stream_, flush);
                out_.resize(out_.size() - stream_.avail_out);
                if (state == Z_STREAM_ERROR) return fail(Errc::invalid_argument);
            } while (stream_.avail_out == 0);
        } while (!in.empty());
        return {};
    }

    std::vector<std::byte>& out_;
    z_stream stream_{};
    bool ok_ = false;
};

// snappy ---------------------------------------------------------------------------------------------------------------

// xerial's frame: magic, version, lowest version that reads it; then blocks of int32 size and raw snappy.
constexpr std::array<unsigned char, 16> xerial_header{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1};
constexpr size_t xerial_magic_size = 8;
constexpr size_t xerial_block_bytes = 32u << 10;

bool has_xerial_magic(Bytes in) {
    return in.size() >= xerial_header.size() && std::memcmp(in.data(), xerial_header.data(), xerial_magic_size) == 0;
}

class SnappyDecoder final : public Decoder {
public:
    explicit SnappyDecoder(Bytes in) : rest_(in), is_framed_(has_xerial_magic(in)) {
        if (!is_framed_ && in.empty()) is_broken_ = true;
    }

    Result<size_t> read(MutableBytes out) override {
        size_t done = 0;
        while (done < out.size()) {
            if (at_ == block_.size()) {
                if (is_broken_) return fail(Errc::malformed);
                if (rest_.empty()) break;
                CHECKED(next_block());
            }
            auto size = std::min(block_.size() - at_, out.size() - done);
            if (size > 0) std::memcpy(out.data() + done, block_.data() + at_, size);
            at_ += size;
            done += size;
        }
        return done;
    }

private:
    Result<> next_block() {
        auto in = rest_;
        if (is_framed_) {
            if (has_xerial_magic(rest_)) {  // First, and again where streams were joined.
                rest_ = rest_.subspan(xerial_header.size());
                return {};
            }
            if (rest_.size() < sizeof(int32_t)) return fail(Errc::malformed);
            auto size = load_be<int32_t>(rest_.data());
            in = rest_.subspan(sizeof size);
            if (size < 0 || size_t(size) > in.size()) return fail(Errc::malformed);
            in = in.first(size_t(size));
            rest_ = rest_.subspan(sizeof size + in.size());
        } else {
            rest_ = {};
        }
        // No element of the format is worth more than 64 bytes for 3: what claims more is not decoded.
        constexpr size_t ratio_max = 22;
        auto* data = reinterpret_cast<const char*>(in.data());
        size_t plain_size = 0;
        if (!snappy::GetUncompressedLength(data, in.size(), &plain_size)) return fail(Errc::malformed);
        if (plain_size > in.size() * ratio_max) return fail(Errc::malformed);
        block_.resize(plain_size);
        at_ = 0;
        if (!snappy::RawUncompress(data, in.size(), reinterpret_cast<char*>(block_.data()))) return fail(Errc::malformed);
        return {};
    }

    Bytes rest_;
    bool is_framed_;
    bool is_broken_ = false;
    std::vector<std::byte> block_;
    size_t at_ = 0;
};

class SnappyEncoder final : public Encoder {
public:
    explicit SnappyEncoder(std::vector<std::byte>& out) : out_(out) {
        std::memcpy(grow(out_, xerial_header.size()), xerial_header.data(), xerial_header.size());
    }

    Result<> write(Bytes in) override {
        while (!in.empty()) {
            if (pending_.empty() && in.size() >= xerial_block_bytes) {
                put(in.first(xerial_block_bytes));
                in = in.subspan(xerial_block_bytes);
                continue;
            }
            auto part = in.first(std::min(in.size(), xerial_block_bytes - pending_.size()));
            pending_.insert(pending_.end(), part.begin(), part.end());
            in = in.subspan(part.size());
            if (pending_.size() == xerial_block_bytes) flush();
        }
        return {};
    }
    Result<> finish() override {
        flush();
        return {};
    }

private:
    void flush() {
        if (!pending_.empty()) put(pending_);
        pending_.clear();
    }
    void put(Bytes block) {
        auto at = out_.size();
        auto* to = grow(out_, sizeof(int32_t) + snappy::MaxCompressedLength(block.size()));
        size_t size = 0;
        snappy::RawCompress(reinterpret_cast<const char*>(block.data()), block.size(),
                            reinterpret_cast<char*>(to + sizeof(int32_t)), &size);
        store_be(to, int32_t(size));
        out_.resize(at + sizeof(int32_t) + size);
    }

    std::vector<std::byte>& out_;
    std::vector<std::byte> pending_;
};

// lz4 ------------------------------------------------------------------------------------------------------------------

struct Lz4Decompression {
    LZ4F_dctx* context = nullptr;
    Lz4Decompression() { if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) context = nullptr; }
    ~Lz4Decompression() { if (context) LZ4F_freeDecompressionContext(context); }
    bool is_small() const { return context && !has_large_blocks; }
    bool has_large_blocks = false;
};

class Lz4Decoder final : public Decoder {
public:
    explicit Lz4Decoder(Bytes in) : rest_(in) {
        if (lz4_->context) LZ4F_resetDecompressionContext(lz4_->context);
        // The frame's descriptor: bits 4-6 of its second byte are the block size, 4 for 64 KiB to 7 for 4 MiB.
        constexpr size_t block_size_at = 5;
        if (in.size() > block_size_at) lz4_->has_large_blocks = (unsigned(in[block_size_at]) >> 4 & 7) > 4;
    }

    Result<size_t> read(MutableBytes out) override {
        if (!lz4_->context) return fail(Errc::no_memory);
        size_t done = 0;
        while (done < out.size() && !ended_) {
            auto in_size = rest_.size();
            auto out_size = out.size() - done;
            auto hint = LZ4F_decompress(lz4_->context, out.data() + done, &out_size, rest_.data(), &in_size, nullptr);
            if (LZ4F_isError(hint)) return fail(Errc::malformed);
            rest_ = rest_.subspan(in_size);
            done += out_size;
            if (hint == 0) ended_ = true;  // Kafka reads one frame: another behind it would be lost on consumers.
            else if (in_size == 0 && out_size == 0) return fail(Errc::malformed);
        }
        if (ended_ && !rest_.empty()) return fail(Errc::malformed);
        return done;
    }

private:
    Reused<Lz4Decompression> lz4_;
    Bytes rest_;
    bool ended_ = false;
};

struct Lz4Compression {
    LZ4F_cctx* context = nullptr;
    Lz4Compression() { if (LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION))) context = nullptr; }
    ~Lz4Compression() { if (context) LZ4F_freeCompressionContext(context); }
    bool is_small() const { return context != nullptr; }
};

class Lz4Encoder final : public Encoder {
public:
    Lz4Encoder(std::vector<std::byte>& out, int level) : out_(out) {
        preferences_.frameInfo.blockSizeID = LZ4F_max64KB;
        preferences_.frameInfo.blockMode = LZ4F_blockIndependent;
        preferences_.compressionLevel = level;
    }

    Result<> write(Bytes in) override {
        CHECKED(begin());
        while (!in.empty()) {
            auto part = in.first(std::min(in.size(), piece_bytes));
            in = in.subspan(part.size());
            auto bound = LZ4F_compressBound(part.size(), &preferences_);
            auto* to = grow(out_, bound);
            CHECKED(trim(bound, LZ4F_compressUpdate(lz4_->context, to, bound, part.data(), part.size(), nullptr)));
        }
        return {};
    }
    Result<> finish() override {
        CHECKED(begin());
        auto bound = LZ4F_compressBound(0, &preferences_);
        auto* to = grow(out_, bound);
        return trim(bound, LZ4F_compressEnd(lz4_->context, to, bound, nullptr));
    }

private:
    Result<> begin() {
        if (begun_) return {};
        if (!lz4_->context) return fail(Errc::no_memory);
        begun_ = true;
        auto* to = grow(out_, LZ4F_HEADER_SIZE_MAX);
        return trim(LZ4F_HEADER_SIZE_MAX, LZ4F_compressBegin(lz4_->context, to, LZ4F_HEADER_SIZE_MAX, &preferences_));
    }
    Result<> trim(size_t reserved, size_t used) {
        if (LZ4F_isError(used)) return fail(Errc::invalid_argument);
        out_.resize(out_.size() - reserved + used);
        return {};
    }

    Reused<Lz4Compression> lz4_;
    std::vector<std::byte>& out_;
    LZ4F_preferences_t preferences_{};
    bool begun_ = false;
};

// zstd -----------------------------------------------------------------------------------------------------------------

constexpr int zstd_window_log_max = 27;  // 128 MiB of address space, the library's own limit and Kafka's.

struct ZstdDecompression {
    ZSTD_DCtx* context = ZSTD_createDCtx();
    ~ZstdDecompression() { ZSTD_freeDCtx(context); }
    bool is_small() const { return context && ZSTD_sizeof_DCtx(context) <= small_context_bytes; }
};

class ZstdDecoder final : public Decoder {
public:
    explicit ZstdDecoder(Bytes in) : in_{in.data(), in.size(), 0} {
        if (!zstd_->context) return;
        ZSTD_DCtx_reset(zstd_->context, ZSTD_reset_session_and_parameters);
        ZSTD_DCtx_setParameter(zstd_->context, ZSTD_d_windowLogMax, zstd_window_log_max);
    }

    Result<size_t> read(MutableBytes out) override {
        if (!zstd_->context) return fail(Errc::no_memory);
        ZSTD_outBuffer to{out.data(), out.size(), 0};
        // More than one frame may follow each other, each whole.
        while (to.pos < to.size && !(frame_ended_ && in_.pos == in_.size)) {
            auto in_before = in_.pos, out_before = to.pos;
            auto hint = ZSTD_decompressStream(zstd_->context, &to, &in_);
            if (ZSTD_isError(hint)) return fail(Errc::malformed);
            frame_ended_ = hint == 0;
            if (!frame_ended_ && in_.pos == in_before && to.pos == out_before) return fail(Errc::malformed);
        }
        return to.pos;
    }

private:
    Reused<ZstdDecompression> zstd_;
    ZSTD_inBuffer in_;
    bool frame_ended_ = false;
};

struct ZstdCompression {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ~ZstdCompression() { ZSTD_freeCCtx(context); }
    bool is_small() const { return context && ZSTD_sizeof_CCtx(context) <= 4 * small_context_bytes; }
};

class ZstdEncoder final : public Encoder {
public:
    ZstdEncoder(std::vector<std::byte>& out, int level) : out_(out) {
        if (!zstd_->context) return;
        ZSTD_CCtx_reset(zstd_->context, ZSTD_reset_session_and_parameters);
        ZSTD_CCtx_setParameter(zstd_->context, ZSTD_c_compressionLevel, level);
    }

    Result<> write(Bytes in) override { return run(in, ZSTD_e_continue); }
    Result<> finish() override { return run({}, ZSTD_e_end); }

private:
    Result<> run(Bytes in, ZSTD_EndDirective directive) {
        if (!zstd_->context) return fail(Errc::no_memory);
        ZSTD_inBuffer from{in.data(), in.size(), 0};
        size_t left = 0;
        do {
            ZSTD_outBuffer to{grow(out_, piece_bytes), piece_bytes, 0};
            left = ZSTD_compressStream2(zstd_->context, &to, &from, directive);
            out_.resize(out_.size() - piece_bytes + to.pos);
            if (ZSTD_isError(left)) return fail(Errc::invalid_argument);
        } while (directive == ZSTD_e_end ? left != 0 : from.pos < from.size);
        return {};
    }

    Reused<ZstdCompression> zstd_;
    std::vector<std::byte>& out_;
};

// Kafka's "9" is not a level of lz4: it means its fast compressor. Every other level means the thorough one.
constexpr int kafka_lz4_default = 9;
int lz4_level(std::optional<int> level) { return !level || *level == kafka_lz4_default ? 0 : std::max(*level, 3); }

}  // namespace

namespace engine {

Result<std::unique_ptr<Decoder>> decoder(Codec codec, Bytes in) {
    switch (codec) {
    case Codec::gzip: return std::make_unique<GzipDecoder>(in);
    case Codec::snappy: return std::make_unique<SnappyDecoder>(in);
    case Codec::lz4: return std::make_unique<Lz4Decoder>(in);
    case Codec::zstd: return std::make_unique<ZstdDecoder>(in);
    case Codec::none: break;
    }
    return fail(Errc::unsupported_codec);
}

Result<std::unique_ptr<Encoder>> encoder(Codec codec, std::vector<std::byte>& out, std::optional<int> level) {
    switch (codec) {
    case Codec::gzip: {
        auto gzip = std::make_unique<GzipEncoder>(out, level.value_or(Z_DEFAULT_COMPRESSION));
        if (!gzip->ok()) return fail(Errc::invalid_argument);
        return gzip;
    }
    case Codec::snappy: return std::make_unique<SnappyEncoder>(out);
    case Codec::lz4: return std::make_unique<Lz4Encoder>(out, lz4_level(level));
    case Codec::zstd: return std::make_unique<ZstdEncoder>(out, level.value_or(ZSTD_CLEVEL_DEFAULT));
    case Codec::none: break;
    }
    return fail(Errc::unsupported_codec);
}

}  // namespace engine

std::string_view to_text(Codec codec) {
    switch (codec) {
    case Codec::none: return "none";
    case Codec::gzip: return "gzip";
    case Codec::snappy: return "snappy";
    case Codec::lz4: return "lz4";
    case Codec::zstd: return "zstd";
    }
    return "unknown";
}

std::optional<Codec> codec_of(std::string_view name) {
    if (name == "uncompressed") return Codec::none;
    for (auto codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
        if (name == to_text(codec)) return codec;
    }
    return {};
}

Result<> compress(Codec codec, Bytes in, std::vector<std::byte>& out, std::optional<int> level) {
    if (codec == Codec::none) {
        out.insert(out.end(), in.begin(), in.end());
        return {};
    }
    TRY(auto to, engine::encoder(codec, out, level));
    CHECKED(to->write(in));
    return to->finish();
}

Result<> decompress(Codec codec, Bytes in, std::vector<std::byte>& out, size_t size_max) {
    if (codec == Codec::none) {
        if (in.size() > size_max) return fail(Errc::too_large);
        out.insert(out.end(), in.begin(), in.end());
        return {};
    }
    TRY(auto from, engine::decoder(codec, in));
    auto step = std::clamp(in.size() * 4, size_t(4096), piece_bytes * 4);
    for (size_t total = 0;;) {
        auto room = std::min(step, size_max - total);
        if (room == 0) {
            std::byte more;
            TRY(auto size, from->read(MutableBytes(&more, 1)));
            if (size > 0) return fail(Errc::too_large);
            return {};
        }
        auto* to = grow(out, room);
        auto size = from->read(MutableBytes(to, room));
        out.resize(out.size() - room + size.value_or(0));
        if (!size) return fail(size.error());
        total += *size;
        if (*size < room) return {};
    }
}

}  // namespace rafka
