package stats

// Box is what a box plot draws (J. W. Tukey, "Exploratory Data Analysis", 1977), its whiskers reaching to the least and the
// greatest value, and what one wants to know beside it. A number is nil where there is none.
type Box struct {
	Min, Q1, Median, Q3, Max, Mean, P90, P99 *float64
}

// Boxplot returns the box of what value says of its numbers, nil without a least one. All but Min, Max and Mean need the values.
func Boxplot(value func(Statistic) *float64) *Box {
	low := value(Min)
	if low == nil {
		return nil
	}
	return &Box{
		Min: low, Q1: value(quartile), Median: value(Median), Q3: value(thirdQuartile), Max: value(Max), Mean: value(Mean),
		P90: value(p90), P99: value(p99),
	}
}

var quartile, thirdQuartile, p90, p99 = Quantile(0.25), Quantile(0.75), Quantile(0.9), Quantile(0.99)
