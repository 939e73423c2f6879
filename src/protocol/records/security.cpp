#include "protocol/records/security.hpp"

#include "wire/codec.hpp"

namespace rafka::wire {

using namespace protocol;

template struct Codec<DelegationTokenRecord>;
template struct Codec<RemoveDelegationTokenRecord>;
template struct Codec<UserScramCredentialRecord>;
template struct Codec<RemoveUserScramCredentialRecord>;
template struct Codec<AccessControlEntryRecord>;
template struct Codec<RemoveAccessControlEntryRecord>;

}  // namespace rafka::wire
