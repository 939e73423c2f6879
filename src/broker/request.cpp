#include "broker/request.hpp"

#include "protocol/api.hpp"

namespace rafka::broker {

Result<> begin(Request& request) {
    auto bytes = request.frame.bytes();
    TRY(request.header, wire::read_request_header(bytes, protocol::flexible_request));
    request.body = bytes;
    auto* api = protocol::find_api(request.header.api_key);
    if (!api) return fail(Errc::unsupported);
    if (!api->serves(request.version()) && api->key != protocol::ApiKey::api_versions) return fail(Errc::unsupported);
    return {};
}

void Request::forget_message() {
    header.client_id.reset();
    body = {};
    arena.reset();
    frame.reset();
}

void Request::reset() {
    forget_message();
    header = {};
    client = nullptr;
    answer.clear();
    records.clear();
    if (held_of) *held_of += held;
    held = 0;
    held_of = nullptr;
    close = false;
    ready = false;
    pieces.clear();
    gather.clear();
}

std::unique_ptr<Request> RequestPool::take() {
    if (kept_.empty()) return std::make_unique<Request>();
    auto request = std::move(kept_.back());
    kept_.pop_back();
    return request;
}

void RequestPool::give_back(std::unique_ptr<Request> request) {
    request->reset();
    if (kept_.size() < kept_max) kept_.push_back(std::move(request));
}

}  // namespace rafka::broker
