#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct InitProducerIdRequest {
    static constexpr auto schema = schema_of(ApiKey::init_producer_id);

    std::optional<std::string_view> transactional_id;
    int32_t transaction_timeout_ms = 0;
    int64_t producer_id = -1;
    int16_t producer_epoch = -1;
    bool enable_2pc = false;
    bool keep_prepared_txn = false;

    static void fields(auto& self, auto& f) {
        f(self.transactional_id);
        f(self.transaction_timeout_ms);
        f(self.producer_id, since(3));
        f(self.producer_epoch, since(3));
        f(self.enable_2pc, since(6));
        f(self.keep_prepared_txn, since(6));
    }
};

struct InitProducerIdResponse {
    static constexpr auto schema = schema_of(ApiKey::init_producer_id);

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    int64_t producer_id = -1;
    int16_t producer_epoch = 0;
    int64_t ongoing_txn_producer_id = -1;
    int16_t ongoing_txn_producer_epoch = -1;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.error_code);
        f(self.producer_id);
        f(self.producer_epoch);
        f(self.ongoing_txn_producer_id, since(6));
        f(self.ongoing_txn_producer_epoch, since(6));
    }
};

}  // namespace rafka::protocol
