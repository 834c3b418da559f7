// Ranges over results that come a page at a time.
#ifndef SLACLOCK_PAGES_HPP
#define SLACLOCK_PAGES_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include "../slaclock.h"

namespace slaclock {

/// An input range that fetches a page when the last one is used up. A page is one snapshot; between pages others may
/// write, and what they write neither repeats nor hides a row that stays as it is.
///
/// `begin()` starts from the first page. An iterator is valid as long as the range stays in its place; the range must
/// not outlive the handle it reads from: then it throws `Closed`. For one thread.
template <class Item>
class Pages {
public:
    /// Fetches the page after a place into the vector, which is empty, and gives the next place.
    using Fetch = std::function<std::int64_t(std::int64_t after, std::vector<Item>& page)>;

    class iterator;

    Pages(std::int64_t first, Fetch fetch) : first_(first), fetch_(std::move(fetch)) {}

    iterator begin() {
        next_ = first_;
        page_.clear();
        at_ = 0;
        return more() ? iterator(this) : iterator();
    }
    iterator end() noexcept { return iterator(); }

    /// All of them at once, from the first page.
    std::vector<Item> collect() {
        std::vector<Item> all;
        for (auto it = begin(); it != end(); ++it) all.push_back(*it);
        return all;
    }

private:
    /// Makes `at_` point to an item, if there is one.
    bool more() {
        while (at_ == page_.size()) {
            if (next_ == SLACLOCK_PAGE_END) return false;
            page_.clear();
            at_ = 0;
            next_ = fetch_(next_, page_);
        }
        return true;
    }

    std::int64_t first_;
    std::int64_t next_ = SLACLOCK_PAGE_END;
    Fetch fetch_;
    std::vector<Item> page_;
    std::size_t at_ = 0;
};

/// Goes through a range once; all iterators of one range move together.
template <class Item>
class Pages<Item>::iterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Item;
    using difference_type = std::ptrdiff_t;
    using pointer = const Item*;
    using reference = const Item&;

    /// What `*it++` reads.
    struct Kept {
        Item item;
        const Item& operator*() const noexcept { return item; }
    };

    iterator() noexcept = default;
    reference operator*() const noexcept { return pages_->page_[pages_->at_]; }
    pointer operator->() const noexcept { return &**this; }
    iterator& operator++() {
        ++pages_->at_;
        if (!pages_->more()) pages_ = nullptr;
        return *this;
    }
    Kept operator++(int) {
        Kept kept{**this};
        ++*this;
        return kept;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.pages_ == b.pages_; }
    friend bool operator!=(const iterator& a, const iterator& b) noexcept { return a.pages_ != b.pages_; }

private:
    friend Pages;
    explicit iterator(Pages* pages) noexcept : pages_(pages) {}
    Pages* pages_ = nullptr;
};

}  // namespace slaclock

#endif  // SLACLOCK_PAGES_HPP
