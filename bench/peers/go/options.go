package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"time"
)

const (
	retries       = 2
	noCompression = math.MaxInt32
	// fixedDeadline is the client's: it takes a shorter one from the context of a send, and no longer one at all.
	fixedDeadline = 3 * time.Second
)

var errTold = errors.New("the command line is wrong, or asks for help")

// options is what the command line asks for.
type options struct {
	nameServer string
	inFlight   int
	body       int
	messages   int64
	warmUp     int64
	rate       float64
	serialize  string
	topic      string
	deadline   time.Duration
	mode       string
}

func parseOptions(arguments []string) (*options, error) {
	var options options
	var deadline int64
	flags := flag.NewFlagSet("go", flag.ContinueOnError)
	flags.StringVar(&options.nameServer, "name-server", "", "`HOST:PORT`")
	flags.IntVar(&options.inFlight, "in-flight", 256,
		"`messages` that wait for their answers at the same time; in mode sync the number of goroutines")
	flags.IntVar(&options.body, "body", 1024, "`bytes` of a body")
	flags.Int64Var(&options.messages, "messages", 0, "measured `messages`")
	flags.Int64Var(&options.warmUp, "warm-up", 20_000, "`messages` sent before the measured ones")
	flags.Float64Var(&options.rate, "rate", 0,
		"`messages` per second; without it as fast as the number in flight allows")
	flags.StringVar(&options.serialize, "serialize", "json", "`form` of the headers of requests: this client has only json")
	flags.StringVar(&options.topic, "topic", "Bench", "`topic`")
	flags.Int64Var(&deadline, "deadline-ms", fixedDeadline.Milliseconds(),
		"limit of one attempt to send in `milliseconds`; this client has none above 3000")
	flags.StringVar(&options.mode, "mode", "sync", "`mode`: sync or async")
	if err := flags.Parse(arguments); err != nil {
		// The package has told the user already, with the usage.
		return nil, errTold
	}
	options.deadline = time.Duration(deadline) * time.Millisecond
	return &options, options.check(flags.Args())
}

func (o *options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%s is no option", rest[0])
	case o.nameServer == "":
		return errors.New("--name-server is missing")
	case o.messages < 1:
		return errors.New("--messages is missing, or less than 1")
	case o.warmUp < 0:
		return errors.New("--warm-up is less than 0")
	case o.inFlight < 1:
		return errors.New("--in-flight is less than 1")
	case o.body < 1:
		return errors.New("--body is less than 1: brokers take no empty body")
	case o.rate < 0 || o.rate > 1e9 || math.IsNaN(o.rate):
		return errors.New("--rate is no number of messages per second")
	case o.mode != "sync" && o.mode != "async":
		return fmt.Errorf("--mode takes sync or async, not %s", o.mode)
	case o.serialize == "rocketmq":
		return errors.New("--serialize rocketmq: the Go client sends JSON headers only, it has no switch for the others")
	case o.serialize != "json":
		return fmt.Errorf("--serialize takes json, not %s", o.serialize)
	case o.deadline < time.Millisecond || o.deadline > fixedDeadline:
		return errors.New("--deadline-ms takes 1 to 3000: the Go client gives up an attempt after 3 s whatever it is told")
	}
	return nil
}
