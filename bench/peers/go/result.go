package main

import (
	"fmt"
	"time"
)

// result is the line that is printed. What is not known is nil.
type result struct {
	Client                string   `json:"client"`
	Version               string   `json:"version"`
	Variant               string   `json:"variant"`
	Serialize             string   `json:"serialize"`
	InFlight              int      `json:"in_flight"`
	BodyBytes             int      `json:"body_bytes"`
	Messages              int64    `json:"messages"`
	Failed                int64    `json:"failed"`
	FirstError            *string  `json:"first_error"`
	Seconds               float64  `json:"seconds"`
	CPUSeconds            float64  `json:"cpu_seconds"`
	UserSeconds           float64  `json:"user_seconds"`
	SystemSeconds         float64  `json:"system_seconds"`
	P50                   *float64 `json:"p50_us"`
	P90                   *float64 `json:"p90_us"`
	P99                   *float64 `json:"p99_us"`
	P999                  *float64 `json:"p999_us"`
	Max                   *float64 `json:"max_us"`
	Allocations           uint64   `json:"allocations"`
	AllocatedBytes        uint64   `json:"allocated_bytes"`
	VoluntarySwitches     int64    `json:"voluntary_switches"`
	InvoluntarySwitches   int64    `json:"involuntary_switches"`
	Writes                uint64   `json:"writes"`
	Reads                 uint64   `json:"reads"`
	PeakRSSKib            uint64   `json:"peak_rss_kib"`
	SendsPerSecondOffered *float64 `json:"sends_per_second_offered"`
}

func newResult(options *options, phase *phase, before, after *figures) (*result, error) {
	// Callbacks that come too late may still be at work.
	phase.mutex.Lock()
	defer phase.mutex.Unlock()
	if ended := phase.stored + phase.failed; ended != options.messages {
		return nil, fmt.Errorf("%d messages ended, not %d", ended, options.messages)
	}
	peak, err := peakMemoryKib()
	if err != nil {
		return nil, err
	}
	user := time.Duration(after.usage.Utime.Nano() - before.usage.Utime.Nano()).Seconds()
	system := time.Duration(after.usage.Stime.Nano() - before.usage.Stime.Nano()).Seconds()
	result := &result{
		Client:              "go",
		Version:             clientVersion(),
		Variant:             options.mode,
		Serialize:           options.serialize,
		InFlight:            options.inFlight,
		BodyBytes:           options.body,
		Messages:            options.messages,
		Failed:              phase.failed,
		FirstError:          phase.firstError,
		Seconds:             after.instant.Sub(before.instant).Seconds(),
		CPUSeconds:          user + system,
		UserSeconds:         user,
		SystemSeconds:       system,
		P50:                 phase.percentile(50),
		P90:                 phase.percentile(90),
		P99:                 phase.percentile(99),
		P999:                phase.percentile(99.9),
		Max:                 phase.percentile(100),
		Allocations:         after.memory.Mallocs - before.memory.Mallocs,
		AllocatedBytes:      after.memory.TotalAlloc - before.memory.TotalAlloc,
		VoluntarySwitches:   after.usage.Nvcsw - before.usage.Nvcsw,
		InvoluntarySwitches: after.usage.Nivcsw - before.usage.Nivcsw,
		Writes:              after.writes - before.writes,
		Reads:               after.reads - before.reads,
		PeakRSSKib:          peak,
	}
	if options.rate > 0 {
		result.SendsPerSecondOffered = &options.rate
	}
	return result, nil
}
