// slaclock for C++17 and later: a thin, header-only layer over slaclock.h.
//
//     const auto policy = slaclock::Policy::load("promise.toml");
//     auto db = slaclock::Db::create("care.slaclock", policy);
//
//     db.submit(slaclock::Request("CASE-1041", received).customer("acme").priority("high"));
//     db.record("CASE-1041", slaclock::Event::paused("waiting_customer", paused_at).by("ann"));
//
//     for (const auto& row : db.late(now))
//         std::cout << row.request << ' ' << row.clock << " was due " << slaclock::seconds(row.due_at) << '\n';
//
//     auto feed = db.feed("mailer");
//     for (const auto& notice : feed.advance(now)) {
//         send(notice);
//         feed.acknowledge(notice);
//     }
//
// What holds for everything here:
//
//  - Each member calls the function of slaclock.h with the same name, once, and converts: that header is the manual of
//    what a call does, which errors it gives and in which order they win. Only what differs is said here.
//  - An error is thrown, as an object of the class of its kind: `slaclock::NotFound`, `slaclock::Busy`, ... all of them
//    `slaclock::Error`. A destructor throws nothing.
//  - Instants are `std::chrono` time points of the system clock; finer ones than seconds are floored. What may be
//    missing is a `std::optional`.
//  - Handles (`Policy`, `Rule`, `Calendar`, `Facts`, `Db`, `Batch`, `ArrowStream`) own what they stand for, move and do
//    not copy. `get()` is the handle of slaclock.h, for whatever is wanted from there. That of one that was moved from is
//    NULL, and calls on it throw `InvalidArgument`. They may be used from several threads at once, as in C; moving and
//    assigning may not.
//  - Texts come in as `std::string_view` (UTF-8; paths in bytes) and go out as `std::string`.
//  - Scans are ranges that fetch a page at a time: see `Pages`.
#ifndef SLACLOCK_HPP
#define SLACLOCK_HPP

#include "slaclock/arrow.hpp"
#include "slaclock/calendar.hpp"
#include "slaclock/db.hpp"
#include "slaclock/error.hpp"
#include "slaclock/event.hpp"
#include "slaclock/facts.hpp"
#include "slaclock/feed.hpp"
#include "slaclock/handle.hpp"
#include "slaclock/pages.hpp"
#include "slaclock/policy.hpp"
#include "slaclock/report.hpp"
#include "slaclock/request.hpp"
#include "slaclock/scan.hpp"
#include "slaclock/time.hpp"

#endif  // SLACLOCK_HPP
