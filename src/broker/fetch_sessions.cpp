#include "broker/fetch_sessions.hpp"

#include "base/assert.hpp"

namespace rafka::broker {

using protocol::ErrorCode;

namespace {
// Of the free ones, so many keep the memory of their partitions.
constexpr size_t warm_max = 16;
}  // namespace

FetchSession& FetchSessions::take() {
    if (free_.empty()) {
        all_.push_back(std::make_unique<FetchSession>(loop_));
        free_.push_back(all_.back().get());
    }
    auto& session = *free_.back();
    free_.pop_back();
    session.users = 1;
    return session;
}

bool FetchSessions::open(FetchSession& session, bool privileged, bool by_id, Instant now, uint64_t (*random)(void*), void* context) {
    auto size = session.partitions().size();
    if (size > partitions_max) return false;
    while (partition_count_ + size > partitions_max) {
        if (!make_room(privileged, size, now)) return false;
    }
    if (sessions_.size() >= sessions_max_ && !make_room(privileged, size, now)) return false;
    int32_t id = 0;
    do id = int32_t(random(context) % (INT32_MAX / loops_) * loops_ + index_);
    while (id == 0 || sessions_.contains(id));
    sessions_[id] = &session;
    session.id_ = id;
    session.epoch_ = 1;
    session.by_id_ = by_id;
    session.privileged_ = privileged;
    session.created_ = session.used_ = now;
    link(session);
    touch(session, now);
    return true;
}

FetchSession* FetchSessions::find(int32_t id) {
    auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : found->second;
}

void FetchSessions::close(int32_t id) {
    if (auto* session = find(id)) close(*session);
}

void FetchSessions::close(FetchSession& session) {
    rank(session, false, false);
    unlink(session);
    partition_count_ -= session.size_noted_;
    session.size_noted_ = 0;
    sessions_.erase(session.id_);
    session.closed_ = true;
    if (session.users == 0) ended_.push_back(&session);
}

FetchSessions::Begun FetchSessions::begin(int32_t id, int32_t epoch, bool by_id, size_t changes, Instant now) {
    auto* session = find(id);
    if (!session) return {ErrorCode::fetch_session_id_not_found, nullptr};
    if (session->by_id_ != by_id) return {ErrorCode::fetch_session_topic_id_error, nullptr};
    if (session->epoch_ != epoch) return {ErrorCode::invalid_fetch_session_epoch, nullptr};
    if (partition_count_ + changes > partitions_max) {
        close(*session);
        return {ErrorCode::fetch_session_id_not_found, nullptr};
    }
    session->epoch_ = next_fetch_epoch(epoch);
    ++session->users;
    touch(*session, now);
    return {ErrorCode::none, session};
}

void FetchSessions::leave(FetchSession& session) {
    ASSERT(session.users > 0);
    if (--session.users == 0 && (session.closed_ || session.id_ == 0)) ended_.push_back(&session);
}

FetchSession* FetchSessions::take_ended() {
    if (ended_.empty()) return nullptr;
    auto* session = ended_.back();
    ended_.pop_back();
    return session;
}

void FetchSessions::give_back(FetchSession& session) {
    session.take_changed();  // Only what is on its way out.
    ASSERT(session.users == 0 && session.partitions().empty() && session.leaving().empty());
    ASSERT(!session.in_round() && session.looked_at().empty());
    session.id_ = 0;
    session.closed_ = false;
    if (free_.size() >= warm_max) session.shrink();
    free_.push_back(&session);
}

void FetchSessions::touch(FetchSession& session, Instant now) {
    if (session.closed_) return;
    if (newest_ != &session) {
        unlink(session);
        link(session);
    }
    session.used_ = now;
    auto size = session.partitions().size();
    bool settled = now - session.created_ > eviction_;
    if (size != session.size_noted_) rank(session, false, false);
    partition_count_ += size - session.size_noted_;
    session.size_noted_ = size;
    rank(session, !session.privileged_ || settled, settled);
}

// Who may take its place.
void FetchSessions::rank(FetchSession& session, bool by_privileged, bool by_all) {
    Value value{session.privileged_, session.size_noted_, session.id_};
    auto set = [&value](std::set<Value>& values, bool& is_in, bool shall_be) {
        if (is_in == shall_be) return;
        is_in = shall_be;
        if (shall_be) values.insert(value);
        else values.erase(value);
    };
    set(evictable_by_privileged_, session.evictable_by_privileged_, by_privileged);
    set(evictable_by_all_, session.evictable_by_all_, by_all);
}

void FetchSessions::link(FetchSession& session) {
    session.older_ = newest_;
    session.newer_ = nullptr;
    (newest_ ? newest_->newer_ : oldest_) = &session;
    newest_ = &session;
}

void FetchSessions::unlink(FetchSession& session) {
    (session.older_ ? session.older_->newer_ : oldest_) = session.newer_;
    (session.newer_ ? session.newer_->older_ : newest_) = session.older_;
}

bool FetchSessions::make_room(bool privileged, size_t size, Instant now) {
    if (!oldest_) return false;
    if (now - oldest_->used_ > eviction_) {
        close(*oldest_);
        return true;
    }
    auto& candidates = privileged ? evictable_by_privileged_ : evictable_by_all_;
    if (candidates.empty() || Value{privileged, size, 0} < *candidates.begin()) return false;
    close(std::get<2>(*candidates.begin()));
    return true;
}

}  // namespace rafka::broker
