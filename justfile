# Every recipe is one line that also runs without just.

# the demo: server, prober and three regions on loopback
demo:
    cargo run --release -- demo

# all tests, with what they need installed
test:
    bash tests/run

# what continuous integration runs
ci:
    bash .ci/run

# nanoseconds and, where valgrind is installed, instructions for each kind of answer
bench:
    cargo bench --bench answer

# processor time for each probe beside a bare loop of the same client, and memory for 10,000 monitors
bench-prober:
    cargo bench --bench prober

# from a fault to the changed answer, for each way to fail, and how often lost probes make a false down
bench-detection:
    cargo bench --bench detection

# What publishing one health change costs, for 100, 1,000 and 10,000 endpoints
bench-publish:
    cargo bench --bench publish

# load time and memory with 10,000 services and a database of a million networks
scale:
    cargo run --release --example scale

# how long a reload takes to compile 1,000 zones of which one has changed
reload:
    cargo run --release --example reload

# what maps cost: lengths of scopes and memory
maps:
    cargo run --release --example maps

# rewrites the golden files of what people read
bless:
    MERIDIAN_BLESS=1 cargo test --test it

# licences, advisories, duplicates
deny:
    cargo deny check
