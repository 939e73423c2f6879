#include "broker/broker.hpp"
#include "broker/handlers/handlers.hpp"
#include "protocol/messages/init_producer_id.hpp"

namespace rafka::broker::handlers {

using protocol::ErrorCode;

Task<Result<>> init_producer_id(Shard& shard, Request& request) {
    CO_TRY(auto message, parse<protocol::InitProducerIdRequest>(request));
    protocol::InitProducerIdResponse response;
    response.producer_epoch = -1;
    if (message.transactional_id) {
        response.error_code = message.transactional_id->empty() ? ErrorCode::invalid_request : ErrorCode::unsupported_version;
    } else if ((message.producer_id == -1) != (message.producer_epoch == -1)) {
        response.error_code = ErrorCode::invalid_request;
    } else {
        // Without a transactional id there is nothing to continue: every time a new producer.
        auto& broker = shard.broker;
        auto id = co_await call_on(broker.home(), broker.producer_ids().next());
        if (id < 0) response.error_code = ErrorCode::coordinator_not_available;
        response.producer_id = id;
        response.producer_epoch = id < 0 ? -1 : 0;
    }
    answer(request, response);
    co_return Result<>();
}

}  // namespace rafka::broker::handlers
