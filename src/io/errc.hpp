#pragma once

// What can be said of failures beyond their names.

#include <rafka/result.hpp>

namespace rafka::io {

// What other files, processes or limits leave no room for now, and may leave room for later.
bool is_shortage(Errc errc);

}  // namespace rafka::io
